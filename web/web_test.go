package web

import (
	"encoding/json"
	"errors"
	"io/fs"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

// built is what the front-end build leaves, in miniature.
func built() fstest.MapFS {
	files := fstest.MapFS{
		"dist/.gitkeep":         {},
		"dist/page/index.html":  {Data: []byte("<!doctype html>")},
		"dist/page/assets/a.js": {Data: []byte("1")},
		"dist/client.version":   {Data: []byte("4.8.4\n")},
	}
	for _, name := range clientFiles {
		files["dist/client/"+name] = &fstest.MapFile{Data: []byte("js")}
		files["dist/client/"+name+".map"] = &fstest.MapFile{Data: []byte("{}")}
	}
	return files
}

func TestPageIn(t *testing.T) {
	page, err := pageIn(built())
	if err != nil {
		t.Fatal(err)
	}
	if err := fstest.TestFS(page, "index.html", "assets/a.js"); err != nil {
		t.Error(err)
	}
}

func TestClientIn(t *testing.T) {
	client, version, err := clientIn(built())
	if err != nil {
		t.Fatal(err)
	}
	if version != "4.8.4" {
		t.Errorf("version %q, want 4.8.4 without its newline", version)
	}
	if err := fstest.TestFS(client, "socket.io.js", "socket.io.msgpack.min.js.map"); err != nil {
		t.Error(err)
	}
}

// A part that is missing or empty answers ErrNotBuilt and is named, whichever part it is.
func TestIncompleteBuild(t *testing.T) {
	for _, spoiled := range []string{
		"dist/page/index.html", "dist/client/socket.io.js",
		"dist/client/socket.io.esm.min.js.map", "dist/client.version",
	} {
		for kind, spoil := range map[string]func(fstest.MapFS){
			"missing": func(m fstest.MapFS) { delete(m, spoiled) },
			"empty":   func(m fstest.MapFS) { m[spoiled] = &fstest.MapFile{} },
		} {
			t.Run(spoiled+" "+kind, func(t *testing.T) {
				files := built()
				spoil(files)
				_, err := pageIn(files)
				if err == nil {
					_, _, err = clientIn(files)
				}
				if !errors.Is(err, ErrNotBuilt) {
					t.Fatalf("error %v, want ErrNotBuilt", err)
				}
				if !strings.Contains(err.Error(), spoiled) {
					t.Errorf("%q does not name %s", err, spoiled)
				}
			})
		}
	}
}

// The page that is really embedded keeps to ContentSecurityPolicy: nothing inline, no
// other host. Skipped in a clone where the front-end build has not run.
func TestEmbeddedPageKeepsToItsPolicy(t *testing.T) {
	page, err := Page("")
	if errors.Is(err, ErrNotBuilt) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	index, err := fs.ReadFile(page, "index.html")
	if err != nil {
		t.Fatal(err)
	}
	for what, pattern := range map[string]string{
		"an inline script":      `<script[^>]*>\s*[^<\s]`,
		"an inline style":       `<style|\sstyle=`,
		"an event attribute":    `\son[a-z]+=`,
		"another host's file":   `(?:src|href)="(?:https?:)?//`,
		"a data: or blob: file": `(?:src|href)="(?:data|blob):`,
	} {
		if found := regexp.MustCompile(pattern).Find(index); found != nil {
			t.Errorf("index.html has %s: %s", what, found)
		}
	}
	for _, match := range regexp.MustCompile(`(?:src|href)="([^"]+)"`).FindAllSubmatch(index, -1) {
		name := strings.TrimPrefix(strings.TrimPrefix(string(match[1]), "./"), "/")
		if _, err := fs.Stat(page, name); err != nil {
			t.Errorf("index.html refers to %s: %v", match[1], err)
		}
	}
}

// A title stands in the page as text, whatever it is, and in the manifest.
func TestTitle(t *testing.T) {
	page := fstest.MapFS{
		"index.html":           {Data: []byte(`<head><title>Chat</title><meta name="application-name" content="" /></head>`)},
		"manifest.webmanifest": {Data: []byte(`{"name":"Chat","short_name":"Chat","start_url":"./"}`)},
		"assets/a.js":          {Data: []byte("1")},
	}
	same, err := titled(page, "")
	if err != nil {
		t.Fatal(err)
	}
	if text, _ := fs.ReadFile(same, "index.html"); string(text) != string(page["index.html"].Data) {
		t.Errorf("without a title the page is %s", text)
	}
	named, err := titled(page, `"팀" </title><script>x</script> & $1`)
	if err != nil {
		t.Fatal(err)
	}
	if script, err := fs.ReadFile(named, "assets/a.js"); string(script) != "1" || err != nil {
		t.Errorf("another file is %q: %v", script, err)
	}
	const escaped = "&#34;팀&#34; &lt;/title&gt;&lt;script&gt;x&lt;/script&gt; &amp; $1"
	index, _ := fs.ReadFile(named, "index.html")
	if want := "<head><title>" + escaped + `</title><meta name="application-name" content="` + escaped + `" /></head>`; string(index) != want {
		t.Errorf("index.html is %s, want %s", index, want)
	}
	var manifest map[string]string
	text, _ := fs.ReadFile(named, "manifest.webmanifest")
	if err := json.Unmarshal(text, &manifest); err != nil || manifest["name"] != `"팀" </title><script>x</script> & $1` || manifest["start_url"] != "./" {
		t.Errorf("the manifest is %s: %v", text, err)
	}
	delete(page, "manifest.webmanifest")
	if _, err := titled(page, "x"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a manifest: %v", err)
	}
}

// The page that was built has the places where a title belongs.
func TestEmbeddedPageTakesATitle(t *testing.T) {
	page, err := Page("Our team")
	if errors.Is(err, ErrNotBuilt) && !strings.Contains(err.Error(), "index.html has no") {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	index, err := fs.ReadFile(page, "index.html")
	if err != nil || !strings.Contains(string(index), "<title>Our team</title>") {
		t.Errorf("index.html has no such title: %s %v", index, err)
	}
}

// As above, for the bundles.
func TestEmbeddedClient(t *testing.T) {
	client, version, err := Client()
	if errors.Is(err, ErrNotBuilt) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	code, err := fs.ReadFile(client, "socket.io.js")
	if err != nil {
		t.Fatal(err)
	}
	if head := string(code[:min(len(code), 200)]); !strings.Contains(head, "Socket.IO v"+version) {
		t.Errorf("socket.io.js begins %q, want version %s in it", head, version)
	}
}

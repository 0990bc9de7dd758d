package web

import (
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
	page, err := Page()
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

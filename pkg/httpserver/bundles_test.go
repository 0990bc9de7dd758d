package httpserver

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/fstest"
)

// bundleText is long and dull enough that compressing it pays.
func bundleText(name string) string { return "// " + name + strings.Repeat("\nlook at me", 100) }

func bundleFiles() fstest.MapFS {
	files := fstest.MapFS{}
	for _, name := range bundleNames {
		files[name] = &fstest.MapFile{Data: []byte(bundleText(name))}
	}
	return files
}

// teapot stands for the Socket.IO server.
var teapot = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	w.WriteHeader(http.StatusTeapot)
	_, _ = io.WriteString(w, r.URL.Path)
})

func newTestServer(t testing.TB, o Options) *Server {
	t.Helper()
	if o.Socket == nil {
		o.Socket = teapot
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// ask makes a request without a network between.
func ask(h http.Handler, method, target string, headers map[string]string) *http.Response {
	r := httptest.NewRequest(method, target, nil)
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func body(t testing.TB, answer *http.Response) string {
	t.Helper()
	var in io.Reader = answer.Body
	if answer.Header.Get("Content-Encoding") == "gzip" {
		var err error
		if in, err = gzip.NewReader(in); err != nil {
			t.Fatal(err)
		}
	}
	text, err := io.ReadAll(in)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestBundlesAnswerLikeNode repeats what testdata/record.mjs asked socket.io 4.8.4.
func TestBundlesAnswerLikeNode(t *testing.T) {
	var recorded []struct {
		Setup, Method, Path string
		Headers, Answer     map[string]string
		Status              int
	}
	text, err := os.ReadFile("testdata/bundles.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &recorded); err != nil {
		t.Fatal(err)
	}
	servers := map[string]*Server{
		"any":  newTestServer(t, Options{Client: bundleFiles(), ClientVersion: "4.8.4"}),
		"list": newTestServer(t, Options{Client: bundleFiles(), ClientVersion: "4.8.4", Origins: []string{"http://a.example", "http://b.example"}}),
	}
	for _, tt := range recorded {
		answer := ask(servers[tt.Setup], tt.Method, tt.Path, tt.Headers)
		if answer.StatusCode != tt.Status {
			t.Errorf("%s %s %s %v: status %d, Node's is %d", tt.Setup, tt.Method, tt.Path, tt.Headers, answer.StatusCode, tt.Status)
		}
		got := flatten(answer.Header)
		want := ours(tt.Status, maps.Clone(tt.Answer))
		if !maps.Equal(got, want) {
			t.Errorf("%s %s %s %v:\n got %v\nwant %v", tt.Setup, tt.Method, tt.Path, tt.Headers, got, want)
		}
		name := strings.TrimPrefix(strings.TrimSuffix(tt.Path, "?v=1"), SocketPath)
		switch text := body(t, answer); {
		case tt.Method == "HEAD" || tt.Status != http.StatusOK:
			if text != "" {
				t.Errorf("%s %s: a body of %d bytes", tt.Method, tt.Path, len(text))
			}
		case text != bundleText(name):
			t.Errorf("%s %s: body is %.40q", tt.Method, tt.Path, text)
		}
	}
}

// ours makes of Node's headers what we mean to answer; see bundles.
func ours(status int, node map[string]string) map[string]string {
	if node["access-control-allow-origin"] == "" {
		delete(node, "access-control-allow-credentials") // says nothing without the other
	}
	if node["content-encoding"] == "br" {
		node["content-encoding"] = "gzip"
	}
	if status == http.StatusOK {
		node["vary"] = strings.TrimPrefix(node["vary"]+", Accept-Encoding", ", ")
	}
	return node
}

func flatten(h http.Header) map[string]string {
	flat := map[string]string{}
	for name, values := range h {
		if name != "Content-Length" { // Node sends chunks
			flat[strings.ToLower(name)] = strings.Join(values, ", ")
		}
	}
	return flat
}

func TestBundleEntityTagInAList(t *testing.T) {
	s := newTestServer(t, Options{Client: bundleFiles(), ClientVersion: "4.8.4"})
	answer := ask(s, "GET", "/socket.io/socket.io.js", map[string]string{"If-None-Match": `"old", W/"4.8.4"`})
	if answer.StatusCode != http.StatusNotModified {
		t.Errorf("status %d", answer.StatusCode)
	}
}

func TestBundlesNotBuilt(t *testing.T) {
	s := newTestServer(t, Options{})
	answer := ask(s, "GET", "/socket.io/socket.io.js", nil)
	if text := body(t, answer); answer.StatusCode != http.StatusServiceUnavailable || !strings.Contains(text, "go run ./cmd/start") {
		t.Errorf("status %d, %q", answer.StatusCode, text)
	}
}

func TestBundlesIncomplete(t *testing.T) {
	files := bundleFiles()
	if _, err := New(Options{Socket: teapot, Client: files}); err == nil {
		t.Error("bundles without a version are taken")
	}
	delete(files, "socket.io.min.js.map")
	if _, err := New(Options{Socket: teapot, Client: files, ClientVersion: "4.8.4"}); err == nil || !strings.Contains(err.Error(), "socket.io.min.js.map") {
		t.Errorf("missing map: error %v", err)
	}
}

// What compresses badly is sent as it is.
func TestIncompressible(t *testing.T) {
	if got := compress([]byte("x")); got != nil {
		t.Errorf("one byte became %d", len(got))
	}
	if got := compress(bytes.Repeat([]byte("x"), 1000)); len(got) == 0 || len(got) > 100 {
		t.Errorf("1000 equal bytes became %d", len(got))
	}
}

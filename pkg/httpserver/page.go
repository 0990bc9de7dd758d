package httpserver

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"io/fs"
	"net/http"
	"strings"
)

// buildAdvice follows a sentence that says that the client is not built.
const buildAdvice = "With Node.js 20.19 or newer, `go run ./cmd/start` in the source folder builds it in. Pages may also\n" +
	"load the client from elsewhere: npm's socket.io-client of any version works with this server."

// unbuilt is the page that / answers with before the front end was built.
//
//go:embed unbuilt.html
var unbuilt []byte

// unbuiltPolicy lets that page have its one style sheet and nothing else.
const unbuiltPolicy = "default-src 'none'; style-src 'unsafe-inline'"

// page serves the chat page's files. Files below assets/ have a hash of their content in
// their name and are kept by browsers for a year; the others are asked for again each
// time, by entity tag.
type page struct {
	files  map[string]*file
	etags  map[string]string
	policy string
}

func newPage(tree fs.FS, policy string) (http.Handler, error) {
	if tree == nil {
		return http.HandlerFunc(serveUnbuilt), nil
	}
	files, err := readFiles(tree)
	if err != nil {
		return nil, err
	}
	if files["index.html"] == nil {
		return nil, errors.New("it has no index.html")
	}
	etags := map[string]string{}
	for name, f := range files {
		sum := sha256.Sum256(f.plain)
		// Weak: the compressed form has the same tag.
		etags[name] = `W/"` + hex.EncodeToString(sum[:12]) + `"`
	}
	return &page{files, etags, policy}, nil
}

func (p *page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, "/")
	if name == "" {
		name = "index.html"
	}
	f := p.files[name]
	if f == nil {
		http.NotFound(w, r)
		return
	}
	if !readOnly(w, r) {
		return
	}
	secure(w.Header(), p.policy)
	h := w.Header()
	h.Set("ETag", p.etags[name])
	h.Set("Cache-Control", "no-cache")
	if strings.HasPrefix(name, "assets/") {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	if hasTag(r.Header.Values("If-None-Match"), strings.TrimPrefix(p.etags[name], "W/")) {
		h.Add("Vary", "Accept-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	f.serve(w, r)
}

// secure sets what keeps a browser from doing more with the page than it was made for.
func secure(h http.Header, policy string) {
	if policy != "" {
		h.Set("Content-Security-Policy", policy)
	}
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
}

func serveUnbuilt(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/" && r.URL.Path != "/index.html" {
		http.NotFound(w, r)
		return
	}
	if !readOnly(w, r) {
		return
	}
	secure(w.Header(), unbuiltPolicy)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	answer(w, r, http.StatusServiceUnavailable, unbuilt)
}

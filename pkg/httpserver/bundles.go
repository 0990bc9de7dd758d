package httpserver

import (
	"errors"
	"io/fs"
	"net/http"
	"slices"
	"strings"
)

// bundleNames are the files that Node's server answers for below /socket.io/.
var bundleNames = [...]string{
	"socket.io.js", "socket.io.js.map",
	"socket.io.min.js", "socket.io.min.js.map",
	"socket.io.esm.min.js", "socket.io.esm.min.js.map",
	"socket.io.msgpack.min.js", "socket.io.msgpack.min.js.map",
}

// bundles serves the client the way socket.io 4.8 does with its cors option set: any
// method is a GET, OPTIONS is a preflight, the entity tag is the client's version.
// Different on purpose: Vary names Accept-Encoding, without which a shared cache may hand
// compressed bytes to a client that cannot read them; of the encodings only gzip; and a
// list of entity tags is understood.
type bundles struct {
	files   map[string]*file // nil: not built
	etag    string
	origins []string
	off     bool // Options.NoClient
}

func newBundles(tree fs.FS, version string, origins []string) (*bundles, error) {
	b := &bundles{etag: `"` + version + `"`, origins: origins}
	if tree == nil {
		return b, nil
	}
	if version == "" {
		return nil, errors.New("their version is not known")
	}
	b.files = map[string]*file{}
	for _, name := range bundleNames {
		text, err := fs.ReadFile(tree, name)
		if err != nil {
			return nil, err
		}
		kind := "application/javascript; charset=utf-8"
		if strings.HasSuffix(name, ".map") {
			kind = "application/json; charset=utf-8"
		}
		b.files[name] = newFile(text, kind)
	}
	return b, nil
}

// serve answers when name is a bundle's, and tells whether it was.
func (b *bundles) serve(w http.ResponseWriter, r *http.Request, name string) bool {
	if b.off || !slices.Contains(bundleNames[:], name) {
		return false
	}
	b.allowOrigin(w.Header(), r.Header.Get("Origin"))
	switch {
	case r.Method == http.MethodOptions:
		preflight(w, r)
	case b.files == nil:
		http.Error(w, "This server was compiled without the Socket.IO client. "+buildAdvice, http.StatusServiceUnavailable)
	case hasTag(r.Header.Values("If-None-Match"), b.etag):
		w.WriteHeader(http.StatusNotModified)
	default:
		w.Header().Set("Cache-Control", "public, max-age=0")
		w.Header().Set("ETag", b.etag)
		b.files[name].serve(w, r)
	}
	return true
}

// allowOrigin sets the headers that let a page of another origin read the answer.
// Credentials go with a list only; with any origin they would be everybody's.
func (b *bundles) allowOrigin(h http.Header, origin string) {
	if len(b.origins) == 0 {
		h.Set("Access-Control-Allow-Origin", "*")
		return
	}
	h.Add("Vary", "Origin")
	if slices.Contains(b.origins, origin) {
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Allow-Credentials", "true")
	}
}

// preflight answers as the cors package of Node does.
func preflight(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Access-Control-Allow-Methods", "GET,HEAD,PUT,PATCH,POST,DELETE")
	h.Add("Vary", "Access-Control-Request-Headers")
	if wanted := r.Header.Get("Access-Control-Request-Headers"); wanted != "" {
		h.Set("Access-Control-Allow-Headers", wanted)
	}
	w.WriteHeader(http.StatusNoContent)
}

// hasTag tells whether If-None-Match names the tag, strong or weak (RFC 9110, section
// 13.1.2 compares weakly).
func hasTag(fields []string, etag string) bool {
	for _, field := range fields {
		for tag := range strings.SplitSeq(field, ",") {
			if strings.TrimPrefix(strings.TrimSpace(tag), "W/") == etag {
				return true
			}
		}
	}
	return false
}

package httpserver

import (
	"bytes"
	"compress/gzip"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"
)

// file is one file in memory. Immutable.
type file struct {
	plain       []byte
	contentType string
	// gzipped compresses at its first call; it returns nil where that does not pay.
	gzipped func() []byte
}

// readFiles reads every file of the tree by its path.
func readFiles(tree fs.FS) (map[string]*file, error) {
	files := map[string]*file{}
	err := fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		files[name] = newFile(text, contentType(name))
		return nil
	})
	return files, err
}

func newFile(text []byte, contentType string) *file {
	f := &file{plain: text, contentType: contentType}
	f.gzipped = sync.OnceValue(func() []byte { return compress(text) })
	return f
}

// contentTypes are those of what a page is made of. The mime package comes second: on
// some machines their tables say that JavaScript is text/plain.
var contentTypes = map[string]string{
	".css":         "text/css; charset=utf-8",
	".html":        "text/html; charset=utf-8",
	".ico":         "image/x-icon",
	".js":          "text/javascript; charset=utf-8",
	".json":        "application/json; charset=utf-8",
	".map":         "application/json; charset=utf-8",
	".png":         "image/png",
	".svg":         "image/svg+xml",
	".txt":         "text/plain; charset=utf-8",
	".webmanifest": "application/manifest+json",
	".woff2":       "font/woff2",
}

func contentType(name string) string {
	ext := path.Ext(name)
	if t := contentTypes[ext]; t != "" {
		return t
	}
	if t := mime.TypeByExtension(ext); t != "" {
		return t
	}
	return "application/octet-stream"
}

func compress(text []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	// A bytes.Buffer takes everything.
	_, _ = w.Write(text)
	_ = w.Close()
	if b.Len() >= len(text) {
		return nil
	}
	return b.Bytes()
}

// serve answers with the file, compressed if the client likes it so. The caller has set
// the headers of its own choice.
func (f *file) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", f.contentType)
	h.Add("Vary", "Accept-Encoding")
	body := f.plain
	if acceptsGzip(r.Header.Values("Accept-Encoding")) {
		if packed := f.gzipped(); packed != nil {
			h.Set("Content-Encoding", "gzip")
			body = packed
		}
	}
	answer(w, r, http.StatusOK, body)
}

// answer writes a whole answer, and waits no longer than answerTimeout for its reader.
func answer(w http.ResponseWriter, r *http.Request, code int, body []byte) {
	// Not every ResponseWriter can; those of tests need no deadline.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(answerTimeout))
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(code)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // the client is gone: nobody to tell
	}
}

// acceptsGzip reads Accept-Encoding (RFC 9110, section 12.5.3): gzip is welcome when it,
// or else *, is named with a weight above zero.
func acceptsGzip(fields []string) bool {
	byName, byStar := -1.0, -1.0
	for _, field := range fields {
		for item := range strings.SplitSeq(field, ",") {
			coding, params, _ := strings.Cut(item, ";")
			weight := 1.0
			if name, q, ok := strings.Cut(strings.TrimSpace(params), "="); ok && strings.EqualFold(strings.TrimSpace(name), "q") {
				var err error
				if weight, err = strconv.ParseFloat(strings.TrimSpace(q), 64); err != nil {
					weight = 0
				}
			}
			switch strings.ToLower(strings.TrimSpace(coding)) {
			case "gzip", "x-gzip":
				byName = max(byName, weight)
			case "*":
				byStar = max(byStar, weight)
			}
		}
	}
	if byName >= 0 {
		return byName > 0
	}
	return byStar > 0
}

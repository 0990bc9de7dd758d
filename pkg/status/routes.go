package status

import (
	"embed"
	"encoding/json"
	"net/http"
)

//go:embed page/status.html page/status.js page/status.css
var files embed.FS

// policy lets the page have its own script and style, ask its own server, and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Routes returns the handlers of the page by pattern of http.ServeMux.
func (b *Board) Routes() map[string]http.Handler {
	return map[string]http.Handler{
		"GET /status":      file("status.html", "text/html; charset=utf-8"),
		"GET /status.js":   file("status.js", "text/javascript; charset=utf-8"),
		"GET /status.css":  file("status.css", "text/css; charset=utf-8"),
		"GET /status.json": http.HandlerFunc(b.serveReport),
	}
}

func file(name, contentType string) http.Handler {
	text, err := files.ReadFile("page/" + name)
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if err != nil { // it is embedded
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		secure(w.Header(), contentType)
		_, _ = w.Write(text) // the browser may be gone
	})
}

func (b *Board) serveReport(w http.ResponseWriter, _ *http.Request) {
	text, err := json.Marshal(b.Report())
	if err != nil { // no value in it can fail
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	secure(w.Header(), "application/json; charset=utf-8")
	_, _ = w.Write(append(text, '\n'))
}

func secure(h http.Header, contentType string) {
	h.Set("Content-Type", contentType)
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
}

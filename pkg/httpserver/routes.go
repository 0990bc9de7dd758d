package httpserver

import (
	"io"
	"net/http"
	"strings"
)

// socketPath is where every Socket.IO client looks by default.
const socketPath = "/socket.io/"

// publicRoutes compares paths itself: http.ServeMux would redirect /socket.io and paths
// with double slashes, which no Node server does and no old client follows on POST.
func (s *Server) publicRoutes(socket http.Handler, bundles *bundles, page http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch path := r.URL.Path; {
		case strings.HasPrefix(path, socketPath):
			if !bundles.serve(w, r, path[len(socketPath):]) {
				socket.ServeHTTP(w, r)
			}
		case path == "/healthz":
			s.healthz(w, r)
		case path == "/readyz":
			s.readyz(w, r)
		default:
			page.ServeHTTP(w, r)
		}
	})
}

// operatorRoutes are what the operators' address answers.
func (s *Server) operatorRoutes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", s.healthz)
	mux.HandleFunc("/readyz", s.readyz)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, "/healthz\n/readyz\n")
	})
	return mux
}

// readOnly answers 405 to anything but GET and HEAD, and tells whether it was one.
func readOnly(w http.ResponseWriter, r *http.Request) bool {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return true
	}
	w.Header().Set("Allow", "GET, HEAD")
	http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
	return false
}

package httpserver

import (
	"io"
	"net/http"
	"slices"
	"strings"
)

// SocketPath is where every Socket.IO client looks by default.
const SocketPath = "/socket.io/"

// publicRoutes compares paths itself: http.ServeMux would redirect /socket.io and paths
// with double slashes, which no Node server does and no old client follows on POST.
func (s *Server) publicRoutes(socket http.Handler, bundles *bundles, page http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch path := r.URL.Path; {
		case strings.HasPrefix(path, SocketPath):
			if !bundles.serve(w, r, path[len(SocketPath):]) {
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

// operatorRoutes are what the operators' address answers from the start.
func (s *Server) operatorRoutes() http.Handler {
	s.operatorMux = http.NewServeMux()
	s.HandleOperator("/healthz", http.HandlerFunc(s.healthz))
	s.HandleOperator("/readyz", http.HandlerFunc(s.readyz))
	s.operatorMux.HandleFunc("GET /{$}", s.operatorIndex)
	return s.foreign.keepOut(s.operatorMux)
}

// forSocket tells whether a path is Options.Socket's and not a bundle's.
func forSocket(path string) bool {
	name, ok := strings.CutPrefix(path, SocketPath)
	return ok && !slices.Contains(bundleNames[:], name)
}

// statusPath is the page that people look for on the operators' address.
const statusPath = "/status"

// operatorIndex leads to the status page; where there is none, it is a list of what is there.
func (s *Server) operatorIndex(w http.ResponseWriter, r *http.Request) {
	if slices.Contains(s.operatorPaths, statusPath) {
		http.Redirect(w, r, statusPath, http.StatusSeeOther)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, strings.Join(s.operatorPaths, "\n")+"\n")
}

// HandleOperator adds a handler to the operators' address, whose index names its path. The
// pattern is one of http.ServeMux. It must not be called after ServeOperator.
func (s *Server) HandleOperator(pattern string, h http.Handler) {
	s.operatorMux.Handle(pattern, h)
	_, path, methodToo := strings.Cut(pattern, " ")
	if !methodToo {
		path = pattern
	}
	s.operatorPaths = append(s.operatorPaths, path)
	slices.Sort(s.operatorPaths)
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

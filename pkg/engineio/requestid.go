package engineio

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
)

// requestID is what a proxy called the request, as an attribute for the log; empty
// without it. A client can send the header too: what is not plain, or long, is
// left out.
func requestID(r *http.Request) slog.Attr {
	id := r.Header.Get("X-Request-Id")
	if id == "" || len(id) > 100 || strings.ContainsFunc(id, func(c rune) bool {
		return !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.ContainsRune("-_.:+/=", c))
	}) {
		return slog.Attr{}
	}
	return slog.String("request", id)
}

// debugs tells whether debug records are wanted: their attributes cost something.
func (s *Server) debugs() bool { return s.opts.Logger.Enabled(context.Background(), slog.LevelDebug) }

// noteRefusal counts a request that is told an error of the protocol.
func (s *Server) noteRefusal(r *http.Request, code errorCode, text string) {
	s.tellRefused(r, code, text)
	s.stats.refuse(code)
	if s.debugs() {
		s.opts.Logger.LogAttrs(context.Background(), slog.LevelDebug, "request refused",
			slog.String("reason", refusals[code]), slog.String("remote", r.RemoteAddr), requestID(r))
	}
}

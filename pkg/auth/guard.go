package auth

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/ratelog"
	"socketio-chat/pkg/socketio"
)

// A Guard lets those into a namespace that have a good token, for as long as that is good.
type Guard struct {
	verifier *Verifier
	log      ratelog.Log
	schedule schedule
	warn     time.Duration // static
	watched  watched
}

// Protect puts a guard before a namespace. It must be called before the namespace's server serves.
// Of those who are refused the log has a warning, rarely.
func Protect(ns *socketio.Namespace, v *Verifier, log *slog.Logger) *Guard {
	g := &Guard{verifier: v, log: ratelog.Log{Logger: log}, warn: v.opts.Warn}
	ns.Use(g.check)
	socketio.Handle(ns, EventRefresh, g.refresh)
	v.onKeys(g.keysChanged)
	ns.OnConnect(g.connected)
	ns.OnDisconnect(g.disconnected)
	return g
}

// IdentityOf returns who a socket's token says it is; nil for one that no guard has let in.
func IdentityOf(s *socket.Socket) *Identity {
	identity, _ := s.Data().(*Identity)
	return identity
}

// Name returns the name of a socket's token, "" for one that no guard has let in.
func Name(s *socket.Socket) string {
	if identity := IdentityOf(s); identity != nil {
		return identity.Name
	}
	return ""
}

// Subject returns the subject of a socket's token, "" without one.
func Subject(s *socket.Socket) string {
	if identity := IdentityOf(s); identity != nil {
		return identity.Subject
	}
	return ""
}

// check is a middleware of the namespace.
func (g *Guard) check(s *socket.Socket, next func(*socket.ExtendedError)) {
	s.SetData(nil)
	ctx, cancel := context.WithTimeout(context.Background(), fetchTimeout)
	defer cancel()
	token, err := tokenOf(s.Handshake())
	if err != nil {
		next(g.refuse(s, g.verifier.refused(err)))
		return
	}
	identity, err := g.verifier.Verify(ctx, token)
	if err != nil {
		next(g.refuse(s, err))
		return
	}
	s.SetData(identity)
	next(nil)
}

// refuse makes the answer, for the client and the log.
func (g *Guard) refuse(s *socket.Socket, err error) *socket.ExtendedError {
	refusal := reason(err)
	g.log.Warn(refusal.Code, "a client was refused: "+refusal.Text, slog.String("namespace", s.Nsp().Name()))
	if s.Conn().Protocol() == 3 {
		return socket.NewExtendedError(refusal.Text, nil) // protocol 3 sends one or the other
	}
	return socket.NewExtendedError(refusal.Text, map[string]any{"code": refusal.Code})
}

// connected watches over the time of a token. If something else has let the socket in without
// a token, it ends here.
func (g *Guard) connected(_ context.Context, s *socket.Socket) error {
	identity := IdentityOf(s)
	if identity == nil {
		return errors.New("not authenticated")
	}
	g.watch(s, identity)
	return nil
}

func (g *Guard) disconnected(_ context.Context, s *socket.Socket, _ string) {
	g.unwatch(s)
}

// expire ends a socket whose token has expired and was not renewed.
func (g *Guard) expire(s *socket.Socket, identity *Identity) {
	if !s.Connected() || !g.counts(s, identity) {
		return
	}
	g.verifier.stats.ended.Add(1)
	g.end(s, ErrExpired)
}

// end tells the client why, then disconnects it. Clients do not come back by themselves after
// that: they need a new token.
func (g *Guard) end(s *socket.Socket, why *Refusal) {
	g.tell(s, why)
	s.Disconnect(true)
}

func (g *Guard) tell(s *socket.Socket, why *Refusal) {
	_ = s.Emit("exception", map[string]any{"status": "error", "message": why.Text, "code": why.Code}) // no reserved name
}

// Close ends the watch over tokens; sockets stay as they are. It may be called again.
func (g *Guard) Close() { g.schedule.close() }

// Watched is the number of sockets that were let in and are there still.
func (g *Guard) Watched() int {
	g.watched.mu.Lock()
	defer g.watched.mu.Unlock()
	return len(g.watched.sockets)
}

// tokenOf finds the token of a socket, as the package documentation says. The handshake's auth
// object is the socket's own: the token is taken out of it, so that nobody shows it by mistake.
func tokenOf(h *socket.Handshake) (string, error) {
	switch auth := h.Auth.(type) {
	case map[string]any:
		if value, there := auth["token"]; there {
			delete(auth, "token")
			token, ok := value.(string)
			if !ok {
				return "", ErrMalformed
			}
			return bare(token), nil
		}
	case url.Values:
		if values, there := auth["token"]; there {
			return only(values)
		}
	}
	if values, there := h.Query["token"]; there {
		return only(values)
	}
	for name, values := range h.Headers {
		if strings.EqualFold(name, "Authorization") {
			return authorization(values)
		}
	}
	return "", ErrMissing
}

// only refuses to choose among several.
func only(values []string) (string, error) {
	if len(values) != 1 {
		return "", ErrMalformed
	}
	return bare(values[0]), nil
}

// authorization passes over other schemes: a proxy may want a password of its own.
func authorization(values []string) (string, error) {
	token, err := "", error(ErrMissing)
	for _, value := range values {
		if scheme, rest, _ := strings.Cut(value, " "); strings.EqualFold(scheme, "Bearer") {
			if err == nil {
				return "", ErrMalformed
			}
			token, err = strings.TrimSpace(rest), nil
		}
	}
	return token, err
}

// bare takes off a "Bearer " that some put before the token here too.
func bare(token string) string {
	if scheme, rest, ok := strings.Cut(token, " "); ok && strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(rest)
	}
	return token
}

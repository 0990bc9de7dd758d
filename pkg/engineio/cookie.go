package engineio

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// A SessionCookie tells a client's session id in a cookie, so that a balancer
// can keep the session with its server: HAProxy does with "cookie io prefix".
// The answer to a handshake by polling sets it, as in Node's engines; one by
// WebSocket does not, since all of that session goes over one connection. This
// server never reads it.
type SessionCookie struct {
	// Name of the cookie; empty: "io", as in Node.
	Name string
	// Attributes follow the value, "Path=/; HttpOnly". Empty: "Path=/; HttpOnly;
	// SameSite=Strict" for protocol 3, and for protocol 4 with SameSite=Lax, which is
	// what engine.io 3.5 and 6 send.
	Attributes string
	// Protocols lists the protocols whose clients get it, of 3 and 4; nil means
	// 3 alone: engine.io 6 sets none unless it is told to.
	Protocols []int
}

// The attributes that Node's engines send.
const (
	cookieAttributes3 = "Path=/; HttpOnly; SameSite=Strict"
	cookieAttributes4 = "Path=/; HttpOnly; SameSite=Lax"
)

func (k SessionCookie) withDefaults() *SessionCookie {
	if k.Name == "" {
		k.Name = "io"
	}
	if k.Protocols == nil {
		k.Protocols = []int{3}
	}
	return &k
}

// setCookie adds the session's cookie to the answer of its handshake.
func (s *Server) setCookie(h http.Header, c *Conn) {
	k := s.opts.Cookie
	if k == nil || !slices.Contains(k.Protocols, c.Protocol()) {
		return
	}
	h.Add("Set-Cookie", k.text(c))
}

func (k *SessionCookie) text(c *Conn) string {
	attributes := k.Attributes
	switch {
	case attributes != "":
	case c.Protocol() == 4:
		attributes = cookieAttributes4
	default:
		attributes = cookieAttributes3
	}
	return k.Name + "=" + cookieValue(c.id) + "; " + attributes
}

// cookieValue escapes what a cookie's value must not hold. Only ids of a NewID of
// somebody's own have any of that.
func cookieValue(id string) string {
	for i := range len(id) {
		if !isTokenByte[id[i]] {
			return strings.ReplaceAll(url.QueryEscape(id), "+", "%20")
		}
	}
	return id
}

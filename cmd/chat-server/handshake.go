package main

import (
	"socketio-chat/pkg/config"
	"socketio-chat/pkg/engineio"
)

// sessionCookie is nil when there is none.
func sessionCookie(h config.Handshake) *engineio.SessionCookie {
	if h.Cookie == "" {
		return nil
	}
	return &engineio.SessionCookie{Name: h.Cookie, Attributes: h.CookieAttributes, Protocols: h.CookieProtocols}
}

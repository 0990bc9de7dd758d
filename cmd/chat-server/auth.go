package main

import (
	"fmt"
	"log/slog"

	"socketio-chat/pkg/auth"
	"socketio-chat/pkg/chat"
	"socketio-chat/pkg/config"
	"socketio-chat/pkg/httpserver"
	"socketio-chat/pkg/socketio"
)

// authParts lets those into the chat that have a token. Nil: everybody.
type authParts struct {
	verifier *auth.Verifier
	guard    *auth.Guard
}

// newVerifier makes what checks tokens, nil when none are needed.
func newVerifier(a config.Auth, log *slog.Logger) (*authParts, error) {
	if !a.Configured() {
		return nil, nil
	}
	secret := a.Secret
	if secret == "" {
		secret = a.FileSecret
	}
	verifier, err := auth.New(auth.Options{
		Secret:     []byte(secret.Reveal()),
		PublicKey:  []byte(a.PublicKey),
		JWKS:       a.JWKS,
		Algorithms: a.Algorithms,
		Issuer:     a.Issuer,
		Audience:   a.Audience,
		Leeway:     a.Leeway,
		NameClaim:  a.NameClaim,
		Refresh:    a.Refresh,
		Warn:       a.Warn,
		Revoked:    a.Revoked,
		Logger:     log,
	})
	if err != nil {
		return nil, fmt.Errorf("cannot check tokens (AUTH_JWT_… says how): %w", err)
	}
	return &authParts{verifier: verifier}, nil
}

// protect puts the guard before the chat, and users' names into their messages.
func (p *authParts) protect(io *socketio.Server, options *chat.Options, log *slog.Logger) {
	if p == nil {
		return
	}
	p.guard = auth.Protect(io.Of(chat.Namespace), p.verifier, log)
	options.NameOf = auth.Name
}

// checks: without keys nobody would get in.
func (p *authParts) checks() []httpserver.Check {
	if p == nil {
		return nil
	}
	return []httpserver.Check{{Name: "auth", Ready: p.verifier.Ready}}
}

// close may be called again.
func (p *authParts) close() {
	if p == nil {
		return
	}
	if p.guard != nil {
		p.guard.Close()
	}
	p.verifier.Close()
}

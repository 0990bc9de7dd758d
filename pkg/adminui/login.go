package adminui

import (
	"context"
	"crypto/subtle"
	"errors"
	"log/slog"
	"net"
	"time"

	"github.com/zishang520/socket.io/v2/socket"
	"golang.org/x/crypto/bcrypt"
)

const (
	maxPassword    = 72              // bytes; bcrypt looks at no more
	sessionTimeout = 2 * time.Second // for Sessions to answer
)

// Texts for the page, which knows the first.
var (
	errCredentials = errors.New("invalid credentials")
	errTooMany     = errors.New("too many attempts, try again in a minute")
)

// admit is the middleware of the namespace.
func (u *UI) admit(s *socket.Socket, next func(*socket.ExtendedError)) {
	if err := u.check(s); err != nil {
		u.spare.Warn(err.Error(), "admin UI: a login was refused: "+err.Error(), slog.String("address", u.opts.Address(s.Handshake())))
		next(socket.NewExtendedError(err.Error(), nil))
		return
	}
	next(nil)
}

// check takes the credentials out of the handshake, so that nobody shows them by mistake.
func (u *UI) check(s *socket.Socket) error {
	auth, _ := s.Handshake().Auth.(map[string]any)
	take := func(name string) string {
		text, _ := auth[name].(string)
		delete(auth, name)
		return text
	}
	session, username, password := take("sessionId"), take("username"), take("password")
	ctx, cancel := context.WithTimeout(u.ctx, sessionTimeout)
	defer cancel()
	if u.ours(session) {
		there, err := u.opts.Sessions.Has(ctx, session)
		if err != nil {
			u.spare.Warn("session lookup", "admin UI: sessions cannot be looked up, a password is needed", slog.Any("error", err))
		}
		if there {
			return nil
		}
	}
	if username == "" && password == "" {
		return errCredentials
	}
	address := u.opts.Address(s.Handshake())
	if err := u.attempt(network(address), username, password); err != nil {
		return err
	}
	u.log.Info("admin UI: logged in", "address", address)
	id := u.newSession()
	if err := u.opts.Sessions.Add(ctx, id); err != nil {
		u.spare.Warn("session add", "admin UI: a session could not be kept, the page will ask for the password again", slog.Any("error", err))
		return nil
	}
	u.issued.Store(s.Id(), id)
	return nil
}

// attempt compares within the bounds of a network's attempts.
func (u *UI) attempt(from, username, password string) error {
	if u.mayTry(from, time.Now()) {
		if err := u.compare(username, password); err != nil {
			return err
		}
		u.succeeded(from)
		return nil
	}
	done, ok := u.awaitLate(u.ctx, from)
	if !ok {
		return errTooMany
	}
	defer done()
	if err := u.compare(username, password); err != nil {
		return errTooMany
	}
	return nil
}

// compare does the same work for any user name.
func (u *UI) compare(username, password string) error {
	select {
	case u.waiting <- struct{}{}:
		defer func() { <-u.waiting }()
	default:
		return errTooMany
	}
	select {
	case u.comparing <- struct{}{}:
		defer func() { <-u.comparing }()
	case <-u.ctx.Done():
		return errCredentials
	}
	wrong := len(password) > maxPassword
	if wrong {
		password = password[:maxPassword]
	}
	err := bcrypt.CompareHashAndPassword(u.opts.PasswordHash, []byte(password))
	known := subtle.ConstantTimeCompare([]byte(username), []byte(u.opts.Username)) == 1
	if err != nil || !known || wrong {
		return errCredentials
	}
	return nil
}

// hostOf is an address without its port.
func hostOf(address string) string {
	if host, _, err := net.SplitHostPort(address); err == nil {
		return host
	}
	return address
}

package adminui

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/zishang520/socket.io/v2/socket"
	"golang.org/x/crypto/bcrypt"
)

// Bounds of attempts to log in.
const (
	attemptsAtOnce  = 5                      // of one address
	attemptEvery    = 10 * time.Second       // then one in this time
	allAttempts     = 20                     // of all addresses
	allAttemptEvery = 500 * time.Millisecond // then one in this time
	maxAddresses    = 1024                   // that are told apart
	maxWaiting      = 8                      // for a comparison
	maxPassword     = 72                     // bytes; bcrypt looks at no more
	sessionTimeout  = 2 * time.Second        // for Sessions to answer
)

// Texts for the page, which knows the first.
var (
	errCredentials = errors.New("invalid credentials")
	errTooMany     = errors.New("too many attempts, try again in a minute")
)

// doorman lets in who has a session or the password.
type doorman struct {
	comparing chan struct{} // holds one while a password is compared
	waiting   chan struct{}
	issued    sync.Map // socket id to the session it is to be told of

	mu      sync.Mutex // guards the rest
	all     allowance
	address map[string]*allowance
}

func (d *doorman) init() {
	d.comparing, d.waiting = make(chan struct{}, 1), make(chan struct{}, maxWaiting)
	d.address = map[string]*allowance{}
}

// allowance is a token bucket: due is when it will be full again.
type allowance struct{ due time.Time }

func (a *allowance) take(now time.Time, burst int, every time.Duration) bool {
	if a.due.Before(now) {
		a.due = now
	}
	if a.due.Sub(now) > time.Duration(burst-1)*every {
		return false
	}
	a.due = a.due.Add(every)
	return true
}

// mayTry counts an attempt.
func (d *doorman) mayTry(address string, now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	of := d.address[address]
	if of == nil {
		if len(d.address) >= maxAddresses {
			for name, a := range d.address {
				if a.due.Before(now) {
					delete(d.address, name)
				}
			}
		}
		of = &allowance{}
		if len(d.address) < maxAddresses { // the others share the bound of all
			d.address[address] = of
		}
	}
	return of.take(now, attemptsAtOnce, attemptEvery) && d.all.take(now, allAttempts, allAttemptEvery)
}

// succeeded takes an attempt back: a page that reconnects may send its password again and again.
func (d *doorman) succeeded(address string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all.due = d.all.due.Add(-allAttemptEvery)
	if of := d.address[address]; of != nil {
		of.due = of.due.Add(-attemptEvery)
	}
}

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
	if session != "" && len(session) <= maxSessionID {
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
	if !u.mayTry(address, time.Now()) {
		return errTooMany
	}
	if err := u.compare(username, password); err != nil {
		return err
	}
	u.succeeded(address)
	u.log.Info("admin UI: logged in", "address", address)
	id := rand.Text()
	if err := u.opts.Sessions.Add(ctx, id); err != nil {
		u.spare.Warn("session add", "admin UI: a session could not be kept, the page will ask for the password again", slog.Any("error", err))
		return nil
	}
	u.issued.Store(s.Id(), id)
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

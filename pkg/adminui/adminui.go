package adminui

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/zishang520/socket.io/v2/socket"
	"golang.org/x/crypto/bcrypt"

	"socketio-chat/pkg/ratelog"
	"socketio-chat/pkg/socketio"
)

// Namespace is what pages connect to unless Options say otherwise.
const Namespace = "/admin"

// MaxCost is the highest cost of a password hash: comparing takes a second then.
const MaxCost = 14

// Options configure Attach.
type Options struct {
	// Username and PasswordHash (bcrypt, as `chat-server hash-password` makes it) are what to log in with.
	Username     string
	PasswordHash []byte
	// ReadOnly refuses all commands.
	ReadOnly bool
	// Development shows sockets, rooms and events with their payloads, not only numbers.
	Development bool
	// Sessions keeps sessions; nil: in memory, for pages that come back to this instance.
	Sessions Sessions
	// Address finds the address of a client, for the bounds on attempts; nil: that of its connection.
	Address func(*socket.Handshake) string
	// ServerID names this instance on the page; "": host name and process id.
	ServerID string
	// Namespace to connect to; "": Namespace.
	Namespace string
	// Logger gets logins and commands, and refusals sparingly. Nil: nothing is logged.
	Logger *slog.Logger
}

// UI is what Attach has made.
type UI struct {
	opts  Options
	io    *socketio.Server
	ns    *socketio.Namespace
	log   *slog.Logger
	spare ratelog.Log
	doorman
	reporter

	watched sync.Map // of namespaces: name to *watch
	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup
	closing sync.Mutex // serialises start and Close
}

var (
	errUser = errors.New("adminui: a username is missing")
	errHash = errors.New("adminui: the password hash is not one of bcrypt; `chat-server hash-password` makes one")
)

// CheckHash tells whether a password hash can be used.
func CheckHash(hash []byte) error {
	cost, err := bcrypt.Cost(hash)
	switch {
	case err != nil || len(hash) != 60:
		return errHash
	case cost > MaxCost:
		return fmt.Errorf("adminui: the password hash has cost %d; more than %d takes too long to compare", cost, MaxCost)
	}
	return nil
}

// Attach adds the namespace to io and starts to report. It must be called before io serves, and after
// whatever sets Socket.Data when a socket connects.
func Attach(io *socketio.Server, o Options) (*UI, error) {
	if o.Username == "" {
		return nil, errUser
	}
	if err := CheckHash(o.PasswordHash); err != nil {
		return nil, err
	}
	if o.Namespace == "" {
		o.Namespace = Namespace
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Sessions == nil {
		o.Sessions = &memory{}
	}
	if o.Address == nil {
		o.Address = func(h *socket.Handshake) string { return hostOf(h.Address) }
	}
	host, _ := os.Hostname()
	if o.ServerID == "" {
		o.ServerID = fmt.Sprintf("%s#%d", host, os.Getpid())
	}
	u := &UI{opts: o, io: io, ns: io.Of(o.Namespace), log: o.Logger, spare: ratelog.Log{Logger: o.Logger}}
	u.doorman.init()
	u.reporter.init()
	u.ctx, u.cancel = context.WithCancel(context.Background())
	u.ns.Use(u.admit)
	if o.Development {
		u.watchAll() // before welcome: the list that it sends has the page itself
	}
	u.ns.OnConnect(u.welcome)
	u.ns.OnDisconnect(u.gone)
	if !o.ReadOnly {
		u.obey()
	}
	stats := newStats(u, host)
	u.running.Go(func() { u.report(u.ctx, u.ns, &u.spare) })
	u.running.Go(func() { stats.run(u.ctx) })
	return u, nil
}

// Close ends the reports and waits for them. Pages stay connected. It may be called again.
func (u *UI) Close() {
	if u == nil {
		return
	}
	u.closing.Lock()
	u.cancel()
	u.closing.Unlock()
	u.running.Wait()
}

// features tells the page what it may offer.
func (u *UI) features() []string {
	var list []string
	if !u.opts.ReadOnly {
		list = append(list, "EMIT", "JOIN", "LEAVE", "DISCONNECT", "MJOIN", "MLEAVE", "MDISCONNECT")
	}
	list = append(list, "AGGREGATED_EVENTS")
	if u.opts.Development {
		list = append(list, "ALL_EVENTS")
	}
	return list
}

// welcome tells a page that has connected what there is.
func (u *UI) welcome(_ context.Context, s *socket.Socket) error {
	if id, ok := u.issued.LoadAndDelete(s.Id()); ok {
		if err := s.Emit("session", id); err != nil {
			return err
		}
	}
	if err := s.Emit("config", map[string]any{"supportedFeatures": u.features()}); err != nil {
		return err
	}
	if !u.opts.Development {
		return nil
	}
	u.closing.Lock()
	defer u.closing.Unlock()
	if u.ctx.Err() == nil {
		u.running.Go(func() { u.sendSockets(s) })
	}
	return nil
}

func (u *UI) gone(_ context.Context, s *socket.Socket, _ string) { u.issued.Delete(s.Id()) }

// now is a moment as JavaScript writes it.
func now() string { return time.Now().UTC().Format("2006-01-02T15:04:05.000Z07:00") }

package forward

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// DefaultPrefix begins the keys in Redis. Its braces keep them in one slot of a
// Redis Cluster.
const DefaultPrefix = "socketio-chat:{forward}:"

// Options configures a Forwarder.
type Options struct {
	// Redis holds the registry. Required. It is not closed, and must not have
	// been used yet if Advertise is empty.
	Redis redis.UniversalClient
	// Prefix begins the names of all keys; empty: DefaultPrefix. Instances with
	// different prefixes do not know of each other.
	Prefix string
	// Secret authenticates the instances to each other, 16 bytes at least. It
	// must be the same everywhere. Empty: one is made and kept in Redis.
	Secret string
	// Listen is where requests of other instances come in, host:port. Empty:
	// the host of Advertise and port 9465, or a free one if that is taken.
	Listen string
	// Advertise is where the other instances reach this one, host or host:port.
	// Empty: the address from which this host reaches Redis. The port defaults
	// to that of the internal listener.
	Advertise string
	// Timeout bounds the wait for the answer to a forwarded request. It must be
	// longer than a poll may wait: the engine's PingInterval and PingTimeout
	// together. 0: a minute.
	Timeout time.Duration
	// Stall is how long a client may take nothing of an answer that is passed on to
	// it. 0: 30 seconds.
	Stall time.Duration
	// MaxBody is the engine's MaxPayload in bytes: no more of a body than it
	// takes to exceed it is passed on. 0: 1 MB.
	MaxBody int64
	// Logger gets comings, goings and faults, never session ids. nil: nothing.
	Logger *slog.Logger
}

// A Forwarder hands requests for sessions of other instances over to them, and
// takes theirs. It is made by New.
type Forwarder struct {
	opts     Options
	log      *slog.Logger
	tag      string
	secrets  *secrets
	vantage  *vantage
	table    *table
	registry *registry
	counters counters

	ctx    context.Context // ends with Close
	cancel context.CancelFunc

	attempted context.Context // done when this instance has entered the registry for the first time, or could not, or has ended
	attempt   context.CancelFunc

	work sync.WaitGroup // the registry's goroutine and the tunnels

	mu       sync.Mutex // guards the rest
	closed   bool
	handler  http.Handler // nil before Start
	sessions Sessions
	listener net.Listener // nil before it listens
	server   *http.Server
	faulted  bool                  // the first fault has been logged
	tunnels  map[*tunnel]struct{}  // open
	polls    map[*exchange]transit // under way
}

// New prepares a Forwarder. If Options.Listen is set it listens there already,
// and fails if it cannot. Nothing is accepted before Start.
func New(o Options) (*Forwarder, error) {
	if o.Prefix == "" {
		o.Prefix = DefaultPrefix
	}
	if o.Stall <= 0 {
		o.Stall = tunnelStall
	}
	if o.Timeout <= 0 {
		o.Timeout = time.Minute
	}
	if o.MaxBody <= 0 {
		o.MaxBody = 1_000_000
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Secret != "" && len(o.Secret) < minSecret {
		return nil, errShortSecret
	}
	f := &Forwarder{opts: o, log: o.Logger, tag: randomText(tagLen), secrets: &secrets{}, vantage: &vantage{}, tunnels: make(map[*tunnel]struct{}), polls: make(map[*exchange]transit)}
	f.ctx, f.cancel = context.WithCancel(context.Background())
	f.attempted, f.attempt = context.WithCancel(f.ctx)
	f.table = newTable(f.tag)
	f.registry = &registry{redis: o.Redis, prefix: o.Prefix, tag: f.tag, secrets: f.secrets}
	if o.Secret != "" {
		f.secrets.set([]byte(o.Secret))
		f.registry.given = true
	}
	if o.Listen != "" {
		l, err := listen(o.Listen, "")
		if err != nil {
			return nil, fmt.Errorf("listen for the other instances: %w", err)
		}
		f.listener = l
	}
	f.vantage.watch(o.Redis)
	return f, nil
}

// NewID makes the id of a session of this instance.
func (f *Forwarder) NewID() string { return f.tag + randomText(secretLen) }

// Start lets h answer what other instances forward, and keeps this instance in
// the registry until Close. s are the sessions behind h; nil: another instance
// that ends cuts them off instead of moving them. Start does not wait for Redis.
// Only the first call counts.
func (f *Forwarder) Start(h http.Handler, s Sessions) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed || f.handler != nil {
		return
	}
	f.handler, f.sessions = h, s
	f.work.Go(f.keep)
}

var errUnregistered = errors.New("other instances do not find this one: the registry of instances cannot be reached")

// Join waits until the others can find this instance, until an attempt to tell them has failed, or until ctx is done. A
// client that opens a session before and sends its next request to another instance is told "Session ID unknown"; so
// call it after Start, before clients come. The error says why the instance is not found; the attempts go on.
func (f *Forwarder) Join(ctx context.Context) error {
	select {
	case <-f.attempted.Done():
	case <-ctx.Done():
		return fmt.Errorf("enter the registry of instances: %w", ctx.Err())
	}
	if registered, _ := f.registry.state(); !registered {
		return errUnregistered
	}
	return nil
}

// Close leaves the registry, ends what is under way, and waits for it: polls are
// answered with nothing and WebSockets told to go, within a second; what is left
// then is cut off. The sessions of this instance should be over: they cannot be reached by
// way of others any more. When ctx ends first, its error is returned and the
// rest ends by itself. Close may be called again.
func (f *Forwarder) Close(ctx context.Context) error {
	f.mu.Lock()
	again := f.closed
	f.closed = true
	listener, server := f.listener, f.server
	f.mu.Unlock()
	if !again {
		f.sayFarewell(ctx)
	}
	f.cancel()
	f.cutTunnels()
	f.table.stop()
	done := make(chan struct{})
	go func() { // ends with what it waits for, all of which was told to end
		f.work.Wait()
		close(done)
	}()
	var err error
	if server != nil {
		if shut := server.Shutdown(ctx); shut != nil {
			err = errors.Join(fmt.Errorf("answer other instances: %w", shut), server.Close())
		}
	} else if listener != nil {
		err = ignoreClosed(listener.Close())
	}
	select {
	case <-done:
	case <-ctx.Done():
		err = errors.Join(err, fmt.Errorf("stop forwarding: %w", ctx.Err()))
	}
	if again {
		return err
	}
	s := f.Stats()
	f.log.Debug("forwarding ended", "polls", s.Polls, "posts", s.Posts, "upgrades", s.Upgrades, "served", s.Served,
		"failed", s.UnknownOwner+s.Unreachable+s.Denied+s.Broken)
	return err
}

func (f *Forwarder) cutTunnels() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for t := range f.tunnels {
		t.close()
	}
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// keep renews the entry of this instance at every beat, and reads the others'
// then and when somebody wants to know. It returns when f is closed.
func (f *Forwarder) keep() {
	var last time.Time // reading
	renewed := time.Time{}
	for f.ctx.Err() == nil {
		now := time.Now()
		f.table.begin()
		var err error
		if now.Sub(renewed) >= beat {
			err = f.join(f.ctx)
			renewed = now
		}
		var addrs map[string]string
		if err == nil {
			addrs, err = f.registry.read(f.ctx)
		}
		f.report(err)
		f.attempt()
		last = time.Now()
		f.table.end(addrs, last)
		f.pause(renewed.Add(beat), last.Add(minReading))
	}
	f.leave()
}

// pause returns at the next beat, or when somebody wants a reading and the last
// one is old enough.
func (f *Forwarder) pause(next, soonest time.Time) {
	timer := time.NewTimer(time.Until(next))
	defer timer.Stop()
	select {
	case <-f.ctx.Done():
	case <-timer.C:
	case <-f.table.want:
		timer.Reset(time.Until(soonest))
		select {
		case <-f.ctx.Done():
		case <-timer.C:
		}
	}
}

// join makes this instance reachable by the others.
func (f *Forwarder) join(ctx context.Context) error {
	if err := f.registry.agree(ctx); err != nil {
		return err
	}
	addr, err := f.listenOnce()
	if err != nil {
		return err
	}
	if err := f.registry.renew(ctx, addr); err != nil {
		return err
	}
	if !f.registry.setState(true, addr) {
		f.log.Info("sessions of this instance can be reached through the others", "addr", addr, "instance", f.tag)
	}
	return nil
}

// listenOnce opens the internal listener if it is not, serves it, and returns
// its address as the others should use it.
func (f *Forwarder) listenOnce() (string, error) {
	host, port, err := net.SplitHostPort(f.opts.Advertise)
	if err != nil {
		host, port = f.opts.Advertise, "" // a host alone
	}
	if host == "" {
		host = f.vantage.host()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return "", net.ErrClosed
	}
	if f.listener == nil {
		l, err := listen("", host)
		if err != nil {
			return "", fmt.Errorf("listen for the other instances: %w", err)
		}
		f.listener = l
	}
	if f.server == nil {
		f.server = newOwnerServer(f.handler, f.sessions, &f.counters, f.log)
		server, g := f.server, newGate(f.listener, f.secrets, f.tag, &f.counters)
		f.work.Go(func() {
			_ = server.Serve(g) // ends with Close, and for no other reason
			_ = g.Close()
		})
	}
	if port == "" {
		_, port, _ = net.SplitHostPort(f.listener.Addr().String()) // of a listener it is well formed
	}
	return net.JoinHostPort(host, port), nil
}

// report logs when the registry is lost, and when it is back.
func (f *Forwarder) report(err error) {
	if err == nil || f.ctx.Err() != nil {
		return
	}
	_, addr := f.registry.state()
	if f.registry.setState(false, addr) || addr == "" && f.firstFault() {
		f.log.Warn("the registry of instances cannot be reached; known instances go on being reached", "err", err)
	}
}

// firstFault reports true once.
func (f *Forwarder) firstFault() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	first := !f.faulted
	f.faulted = true
	return first
}

// leave is the end of keep. Redis may be gone: then the entry expires by itself.
func (f *Forwarder) leave() {
	registered, addr := f.registry.state()
	if !registered {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	f.registry.setState(false, addr)
	if err := f.registry.leave(ctx); err != nil {
		f.log.Debug("this instance's entry will expire by itself", "err", err)
	}
}

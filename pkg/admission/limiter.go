package admission

import (
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"socketio-chat/pkg/ratelog"
)

// Options are the bounds. Zero means none.
type Options struct {
	Connections int // sessions in all
	PerAddress  int // sessions of one address

	HandshakesPerSecond           int // in all, with a burst of handshakeBurst seconds' worth
	HandshakesPerSecondPerAddress int // of one address, with the same burst

	// Proxies are the networks of peers that are believed about the client's address.
	Proxies []netip.Prefix
	// ProxyHeader is the header they tell it in, XForwardedFor or Forwarded; empty: the first.
	ProxyHeader string

	// PrivateConnections and PrivateHandshakes apply PerAddress and HandshakesPerSecondPerAddress to
	// private and loopback addresses too.
	PrivateConnections, PrivateHandshakes bool
	// Internal, if set, tells requests of another instance of ours by what only it can know.
	// They are not counted against an address.
	Internal func(*http.Request) bool

	// Logger gets a warning when somebody is refused, at most one for each reason in ten
	// seconds. Nil: nothing is logged.
	Logger *slog.Logger
}

// handshakeBurst is how many seconds' worth of handshakes may come at once: after a restart
// everybody does.
const handshakeBurst = 4

// Limiter counts sessions and handshakes.
type Limiter struct {
	opts  Options // static
	start time.Time
	log   ratelog.Log

	mu         sync.Mutex // guards the rest
	total      int
	handshakes pace
	sessions   map[key]int32 // of an address, never zero
	paces      paces         // of an address
	stats      Stats
}

// Stats is what happened since the limiter was made, and what is now.
type Stats struct {
	Sessions  int64 // open now
	Addresses int64 // with sessions, and with handshakes in the last seconds: one with both may count twice

	RefusedConnections          uint64 // handshakes refused: Options.Connections reached
	RefusedConnectionsAddress   uint64 // Options.PerAddress reached
	RefusedHandshakes           uint64 // Options.HandshakesPerSecond exceeded
	RefusedHandshakesAddress    uint64 // Options.HandshakesPerSecondPerAddress exceeded
	RefusedAfterHandshake       uint64 // of those for connections: session made and ended at once
	ForwardedFromUntrustedPeers uint64 // proxy headers ignored: the peer is not in Options.Proxies
}

// A Refusal is why a handshake is refused, in words for the client.
type Refusal struct {
	text   string
	status int
}

func (r *Refusal) Error() string { return r.text }

// HTTPStatus is 429 when the client itself asks for too much, 503 when the server is full.
func (r *Refusal) HTTPStatus() int { return r.status }

// The refusals there are.
var (
	ErrFull              = &Refusal{"the server is full; try again later", http.StatusServiceUnavailable}
	ErrBusy              = &Refusal{"too many clients connect at this moment; try again in a second", http.StatusServiceUnavailable}
	ErrAddress           = &Refusal{"too many connections from your address", http.StatusTooManyRequests}
	ErrAddressHandshakes = &Refusal{"too many connection attempts from your address; try again in a second", http.StatusTooManyRequests}
)

// New returns a limiter.
func New(o Options) *Limiter {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Limiter{
		opts:     o,
		start:    time.Now(),
		log:      ratelog.Log{Logger: o.Logger},
		sessions: make(map[key]int32),
	}
}

// Allow decides on a handshake: nil, or a *Refusal. It counts the handshake.
func (l *Limiter) Allow(r *http.Request) error {
	addr := l.ClientAddr(r.RemoteAddr, r.Header)
	most := l.boundsOf(addr)
	if l.opts.Internal != nil && l.opts.Internal(r) {
		most = bounds{}
	}
	ignored := r.Header.Get(XForwardedFor) != "" && !l.trusted(parseHop(r.RemoteAddr))

	l.mu.Lock()
	if ignored {
		l.stats.ForwardedFromUntrustedPeers++
	}
	refusal := l.allowLocked(addr, most, time.Since(l.start))
	l.mu.Unlock()
	if refusal == nil {
		return nil
	}
	l.refused(refusal, addr)
	return refusal
}

// allowLocked looks at everything before it counts anything: a handshake that is refused for one reason uses up
// nothing of another bound.
func (l *Limiter) allowLocked(addr netip.Addr, most bounds, now time.Duration) *Refusal {
	k := keyOf(addr)
	bucket := l.paces.get(k, now)
	switch {
	case most.connections > 0 && int(l.sessions[k]) >= most.connections:
		l.stats.RefusedConnectionsAddress++
		return ErrAddress
	case !bucket.take(most.handshakes, now): // of a copy
		l.stats.RefusedHandshakesAddress++
		return ErrAddressHandshakes
	case l.opts.Connections > 0 && l.total >= l.opts.Connections:
		l.stats.RefusedConnections++
		return ErrFull
	case !l.handshakes.take(l.opts.HandshakesPerSecond, now):
		l.stats.RefusedHandshakes++
		return ErrBusy
	}
	if most.handshakes > 0 {
		l.paces.set(k, bucket)
	}
	return nil
}

// Enter counts a session that has opened. With an error it is not counted, and must end.
func (l *Limiter) Enter(remote string, header http.Header) error {
	addr := l.ClientAddr(remote, header)
	l.mu.Lock()
	refusal := l.enterLocked(addr)
	l.mu.Unlock()
	if refusal == nil {
		return nil
	}
	l.refused(refusal, addr)
	return refusal
}

func (l *Limiter) enterLocked(addr netip.Addr) *Refusal {
	most := l.boundsOf(addr).connections
	k := keyOf(addr)
	switch {
	case l.opts.Connections > 0 && l.total >= l.opts.Connections:
		l.stats.RefusedConnections++
		l.stats.RefusedAfterHandshake++
		return ErrFull
	case most > 0 && int(l.sessions[k]) >= most:
		l.stats.RefusedConnectionsAddress++
		l.stats.RefusedAfterHandshake++
		return ErrAddress
	}
	l.total++
	if most > 0 {
		l.sessions[k]++
	}
	return nil
}

// Leave takes back what Enter counted, for the same arguments, once.
func (l *Limiter) Leave(remote string, header http.Header) {
	addr := l.ClientAddr(remote, header)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total--
	if l.boundsOf(addr).connections <= 0 {
		return
	}
	k := keyOf(addr)
	if l.sessions[k]--; l.sessions[k] <= 0 {
		delete(l.sessions, k)
	}
}

// bounds are those of one address; 0: none.
type bounds struct{ connections, handshakes int }

func (l *Limiter) boundsOf(addr netip.Addr) bounds {
	b := bounds{l.opts.PerAddress, l.opts.HandshakesPerSecondPerAddress}
	if private(addr) {
		if !l.opts.PrivateConnections {
			b.connections = 0
		}
		if !l.opts.PrivateHandshakes {
			b.handshakes = 0
		}
	}
	return b
}

// refused writes the log line of a refusal.
func (l *Limiter) refused(r *Refusal, addr netip.Addr) {
	var setting string
	switch r {
	case ErrFull:
		setting = "MAX_CONNECTIONS"
	case ErrBusy:
		setting = "HANDSHAKES_PER_SECOND"
	case ErrAddress:
		setting = "MAX_CONNECTIONS_PER_ADDRESS"
	case ErrAddressHandshakes:
		setting = "HANDSHAKES_PER_SECOND_PER_ADDRESS"
	}
	l.log.Warn(setting, "a client was refused: "+r.text,
		slog.String("address", addr.String()), slog.String("setting", setting))
}

// Stats returns the counters.
func (l *Limiter) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.stats
	s.Sessions, s.Addresses = int64(l.total), int64(len(l.sessions)+l.paces.len(time.Since(l.start)))
	return s
}

// Address is what stands for a client's address where something is shared among addresses: an IPv4 address or
// the /64 of an IPv6 one. It is false where many clients may have it: private addresses, whose connections
// are not bounded unless Options.PrivateConnections says so.
func (l *Limiter) Address(remote string, header http.Header) (uint64, bool) {
	addr := l.ClientAddr(remote, header)
	if !addr.IsValid() || private(addr) && !l.opts.PrivateConnections {
		return 0, false
	}
	return uint64(keyOf(addr)), true
}

package socketio

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/zishang520/engine.io/v2/types"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/engineio"
)

// DefaultConnectTimeout is that of socket.io 4.8.
const DefaultConnectTimeout = 45 * time.Second

// Options configures a Server. The zero value is usable.
type Options struct {
	// Engine configures the transport; its OnConnect is ours.
	Engine engineio.Options
	// ConnectTimeout is how long a connection may stay without having joined a namespace. 0 means
	// DefaultConnectTimeout.
	ConnectTimeout time.Duration
	// Adapter makes each namespace's adapter; nil means in memory, this instance only.
	Adapter AdapterBuilder
	// CleanupEmptyChildNamespaces removes a namespace that a client's CONNECT created (with io.Of of a
	// regular expression or a function) when its last socket has left it, as Node's option of that name:
	// its adapter is closed, and the next CONNECT creates it anew. With Recovery it stays until the
	// sessions of those that left are over. One that was asked for with [Server.Of] stays. Off by default.
	CleanupEmptyChildNamespaces bool
	// Limits bounds what one client may do; the zero value bounds next to nothing.
	Limits Limits
	// Gate, if set, has the last word on who may connect. Engine.Allow has the first.
	Gate Gate
	// Parser is how packets are written; the zero value means ParserAuto.
	Parser Parser
	// Recovery lets clients whose connection broke come back to what they missed. Off by default.
	Recovery Recovery
	// Logger gets panics and failures of the application's code as errors, and why clients were
	// closed at debug level. Nil discards them. Engine.Logger, if nil, is the same.
	Logger *slog.Logger
}

// Server serves Socket.IO. It is an http.Handler for the path it is mounted at, usually /socket.io/.
type Server struct {
	// Static after construction.
	opts   Options
	log    *slog.Logger
	eio    *engineio.Server
	engine *engineServer
	io     *socket.Server
	limits limits

	recovery *recovery // nil: off

	// emptyRequest is lent to connections; see conn.lendRequest.
	emptyRequest *types.HttpContext
	closing      atomic.Bool
	closed       chan struct{} // by the first Close
	invalid      atomic.Uint64 // see Stats

	removals sync.WaitGroup // of namespaces, under way

	mu         sync.RWMutex // guards the rest
	namespaces map[string]*Namespace
	made       int                 // namespaces so far
	past       NamespaceStats      // of those that were removed
	names      map[string]*nameUse // see dynamic.go
	links      map[*link]*nameUse  // those that use them
	conns      map[*conn]struct{}
}

// NewServer returns a server with the namespace "/".
func NewServer(opts Options) *Server {
	if opts.ConnectTimeout <= 0 {
		opts.ConnectTimeout = DefaultConnectTimeout
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.Adapter == nil {
		opts.Adapter = builder{}
	}
	s := &Server{
		opts:       opts,
		log:        opts.Logger,
		namespaces: make(map[string]*Namespace),
		conns:      make(map[*conn]struct{}),
		names:      make(map[string]*nameUse),
		links:      make(map[*link]*nameUse),
		closed:     make(chan struct{}),
	}
	s.limits.init(opts.Limits, int(cmp.Or(opts.Engine.MaxPayload, engineio.DefaultMaxPayload)), opts.Logger)
	s.emptyRequest = newHTTPContext(&engineio.Handshake{Header: http.Header{}})
	engineOptions := opts.Engine
	engineOptions.OnConnect = s.connect
	if engineOptions.Logger == nil {
		engineOptions.Logger = opts.Logger
	}
	s.eio = engineio.NewServer(engineOptions)
	s.engine = &engineServer{server: s}
	s.recovery = newRecovery(opts)

	library := socket.DefaultServerOptions()
	library.SetParser(libraryParser{log: s.log})
	library.SetAdapter(adapters{s})
	library.SetConnectTimeout(opts.ConnectTimeout)
	library.SetServeClient(false)
	if s.recovery != nil {
		library.SetConnectionStateRecovery(s.recovery.library())
	}
	s.io = socket.NewServer(nil, library)
	s.io.Bind(s.engine)
	s.created(s.io.Sockets())
	return s
}

// IO returns the library's server. See the package documentation for what of it works how.
func (s *Server) IO() *socket.Server { return s.io }

// Engine returns the transport.
func (s *Server) Engine() *engineio.Server { return s.eio }

// ServeHTTP serves one request of the protocol.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.eio.ServeHTTP(w, r) }

// Of returns the namespace with a name, "/…", and creates it if there is none. Clients can join it
// from then on.
func (s *Server) Of(name string) *Namespace {
	nsp := s.io.Of(name, nil)
	s.mu.Lock()
	defer s.mu.Unlock()
	ns := s.namespaces[nsp.Name()]
	ns.removable = false // the application has it
	return ns
}

// Close ends all sockets with the reason "server shutting down", closes the adapters, then the
// connections, each of which gets what is queued for it. It waits until all of it is over; when ctx
// ends first, what is left is cut and the error of ctx returned. Close may be called again.
func (s *Server) Close(ctx context.Context) error {
	var err error
	if !s.closing.Swap(true) {
		close(s.closed)
		// Sessions of clients that have left already, while the adapters still answer for them; then those
		// that this ends, before their clients can be back elsewhere.
		err = s.HandOver(ctx)
		s.io.Close(nil) // our engineServer leaves the connections to us
		err = errors.Join(err, s.HandOver(ctx))
	}
	if closed := s.eio.Close(ctx); closed != nil {
		err = errors.Join(err, errors.New("socketio: not all clients could be closed in time"), closed)
	}
	s.mu.Lock()   // what removes from here on knows that the server is closing
	s.mu.Unlock() //nolint:staticcheck // see above
	s.removals.Wait()
	s.endRecovery()
	return err
}

// connect is the engine's OnConnect.
func (s *Server) connect(e *engineio.Conn) engineio.Receiver {
	if !s.enter(e) {
		e.Close()
		return refusedReceiver{}
	}
	c := &conn{server: s, eio: e, decoder: decoder{bounds: &s.limits.decoder}}
	if e.Protocol() == 3 {
		c.chosen, c.msgpack = true, s.opts.Parser == ParserMsgPack
	}
	s.mu.Lock()
	s.conns[c] = struct{}{}
	s.mu.Unlock()
	if e.Protocol() == 3 {
		// The library joins "/" by itself as soon as it knows the connection.
		root := c.newLink("/")
		c.links = append(c.links, root)
		c.joinLocked(root) // nobody knows the connection yet
		defer c.lendRequest()()
		if !guard(s.log, "connect", func() { s.engine.Emit("connection", c) }) {
			root.refuse("Internal server error")
		}
	} else {
		c.startTimer(s.opts.ConnectTimeout)
	}
	return c
}

func (s *Server) forget(c *conn) {
	c.leaveShares()
	s.leave(c.eio)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}

func (s *Server) snapshot() []*conn {
	s.mu.RLock()
	defer s.mu.RUnlock()
	list := make([]*conn, 0, len(s.conns))
	for c := range s.conns {
		list = append(list, c)
	}
	return list
}

// adapters is the AdapterConstructor that the library knows. It is called once for each namespace,
// while that is constructed: the moment to take it over.
type adapters struct{ server *Server }

func (a adapters) New(nsp socket.Namespace) socket.Adapter {
	s := a.server
	ns := newNamespace(s, nsp)
	s.mu.Lock()
	ns.number = s.made
	s.made++
	ns.removable = s.opts.CleanupEmptyChildNamespaces && s.names[nsp.Name()] != nil // a CONNECT creates it
	s.namespaces[nsp.Name()] = ns
	s.mu.Unlock()
	adapter := s.opts.Adapter.New(nsp)
	if ns.local = localAdapter(adapter); ns.local != nil {
		ns.local.traffic, ns.local.log = &ns.traffic, s.log
		ns.local.adopt(func() batch { return s.eio.NewBatch() })
		if s.recovery != nil {
			ns.local.enableRecovery(s.recovery)
			if c, ok := adapter.(RecoveringAdapter); ok {
				c.JoinRecovery()
			}
		}
	}
	return adapter
}

// created is called when the library has constructed a namespace.
func (s *Server) created(nsp socket.Namespace) {
	s.mu.RLock()
	ns := s.namespaces[nsp.Name()]
	s.mu.RUnlock()
	if ns != nil {
		ns.setReady()
	}
}

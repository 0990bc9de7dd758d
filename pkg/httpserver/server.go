package httpserver

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"socketio-chat/pkg/blankline"
)

// Options are the parts a Server is made of.
type Options struct {
	// Socket gets every request below /socket.io/ that is not for a client bundle.
	Socket http.Handler
	// Front, if set, is put between a listener of Serve and net/http: it returns a
	// listener for those connections, or those requests of them, that it does not
	// serve itself. Requests that begin something it passes to the handler, which
	// is that of net/http. The durations are the limits of a connection that sends
	// nothing: a new one, and one between requests.
	Front func(l net.Listener, h http.Handler, header, idle time.Duration) net.Listener

	// Page is the chat page, with index.html at its root. Nil: it is not built, and /
	// says how to.
	Page fs.FS
	// PagePolicy is the Content-Security-Policy that goes with the page; empty: none.
	PagePolicy string

	// Client holds the client bundles and their maps, ClientVersion the version they are
	// of ("4.8.4"). Nil: they are not built, and their addresses answer 404.
	Client        fs.FS
	ClientVersion string

	// NoClient leaves the bundles' addresses to Socket, as Node does with serveClient: false.
	NoClient bool

	// Origins are the pages of other origins that may read the client bundles; empty: any.
	Origins []string

	// Checks decide /readyz together with Drain.
	Checks []Check

	// HeaderTimeout and BodyTimeout bound how long the headers and the body of a request may
	// take to arrive; 0: 10 s and 30 s. Socket may set another one for its bodies.
	HeaderTimeout, BodyTimeout time.Duration
	// IdleTimeout is how long a connection may stay between two requests; 0: 75 s. It should be longer
	// than that of the balancer in front: Google's keep connections for 600 s.
	IdleTimeout time.Duration
	// MaxIdle bounds the public's connections that have no request to be answered: silent ones, those
	// between two requests, those whose request is not complete. When one more comes, the one that has
	// waited longest is closed. 0: half of the process' descriptors. Whatever it says, some descriptors
	// stay free for the operators' address.
	MaxIdle int
	// OperatorHosts are names under which browsers may open the operators' address, besides IP addresses and
	// localhost. Programs need none.
	OperatorHosts []string

	// Logger gets what net/http has to complain about. Nil: nothing is logged.
	Logger *slog.Logger
}

// The limits that the package documentation names, as far as Options do not say otherwise.
const (
	headerTimeout = 60 * time.Second // as in Node: a client may stand still when it has connected
	headerBytes   = 32 << 10
	bodyTimeout   = 30 * time.Second // httpRequestBodyTimeout of engine.io 6
	idleTimeout   = 75 * time.Second
	answerTimeout = 60 * time.Second
	operatorIdle  = 128 // connections of the operators' address that wait
)

// Server serves the public address, and the operators' one beside it.
type Server struct {
	public, operator *http.Server
	front            func(net.Listener, http.Handler, time.Duration, time.Duration) net.Listener
	room             *room
	operatorRoom     *room
	foreign          *foreignPages
	draining         atomic.Bool
	checks           []Check
	hasPage          bool

	// Static once ServeOperator was called.
	operatorMux   *http.ServeMux
	operatorPaths []string // sorted

	shutdownOnce sync.Once
	shutdownErr  error // set within shutdownOnce
}

// New makes a server that does not listen yet. The error tells which file of Page or
// Client could not be read.
func New(o Options) (*Server, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.HeaderTimeout <= 0 {
		o.HeaderTimeout = headerTimeout
	}
	if o.BodyTimeout <= 0 {
		o.BodyTimeout = bodyTimeout
	}
	if o.IdleTimeout <= 0 {
		o.IdleTimeout = idleTimeout
	}
	if o.MaxIdle <= 0 {
		o.MaxIdle = descriptors() / 2
	}
	w, ow := newWaiting(), newWaiting()
	s := &Server{
		checks: o.Checks, front: o.Front, hasPage: o.Page != nil,
		room: newRoom(o.MaxIdle, spareDescriptors, w, o.Logger), operatorRoom: newRoom(operatorIdle, spareDescriptors/2, ow, o.Logger),
		foreign: newForeignPages(o.OperatorHosts, o.Logger),
	}
	page, err := newPage(o.Page, o.PagePolicy)
	if err != nil {
		return nil, fmt.Errorf("read the page: %w", err)
	}
	bundles, err := newBundles(o.Client, o.ClientVersion, o.Origins)
	if err != nil {
		return nil, fmt.Errorf("read the client bundles: %w", err)
	}
	bundles.off = o.NoClient
	s.public = newHTTPServer(blankline.Handler(w.handler(s.publicRoutes(o.Socket, bundles, page))), o)
	s.public.ConnState = w.state
	s.public.ConnContext = func(ctx context.Context, nc net.Conn) context.Context {
		return blankline.Context(w.context(ctx, nc), nc)
	}
	s.operator = newHTTPServer(ow.handler(s.operatorRoutes()), o)
	s.operator.ConnState, s.operator.ConnContext = ow.state, ow.context
	return s, nil
}

// newHTTPServer sets what must not be left to net/http's defaults, which are to wait for
// ever. ReadTimeout and WriteTimeout stay unset: both would end long polls, the first by
// cancelling their context. boundBody and answer set those deadlines where they fit.
func newHTTPServer(h http.Handler, o Options) *http.Server {
	return &http.Server{
		Handler:           boundBody(h, o.BodyTimeout),
		ReadHeaderTimeout: o.HeaderTimeout,
		IdleTimeout:       o.IdleTimeout,
		MaxHeaderBytes:    headerBytes,
		ErrorLog:          slog.NewLogLogger(o.Logger.Handler(), slog.LevelWarn),
	}
}

// boundBody limits the time in which a body must arrive. Requests without one are left
// alone: a deadline would outlive the change to WebSocket. net/http lifts the deadline
// when the request is answered.
func boundBody(h http.Handler, timeout time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 {
			// Not every ResponseWriter can; those of tests need no deadline.
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(timeout))
		}
		h.ServeHTTP(w, r)
	})
}

// HasPage tells whether there is a page at /, and not only an advice how to get one.
func (s *Server) HasPage() bool { return s.hasPage }

// ServeHTTP answers a request to the public address, without the limits of Serve.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.public.Handler.ServeHTTP(w, r)
}

// Serve accepts connections of the public until Shutdown, whose result is nil here. It
// closes the listener.
func (s *Server) Serve(l net.Listener) error {
	l = roomListener{l, s.room}
	if s.front != nil {
		l = s.front(l, s.public.Handler, s.public.ReadHeaderTimeout, s.public.IdleTimeout)
		s.room.front, _ = l.(idler) // nothing is accepted yet
	}
	return serve(s.public, blankline.Listen(l))
}

// Stats returns the counters.
func (s *Server) Stats() Stats {
	stats := s.room.stats().plus(s.operatorRoom.stats())
	stats.RefusedPages = s.foreign.refused.Load()
	return stats
}

// ServeOperator is Serve for the operators' address.
func (s *Server) ServeOperator(l net.Listener) error {
	return serve(s.operator, roomListener{l, s.operatorRoom})
}

func serve(h *http.Server, l net.Listener) error {
	if err := h.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve %s: %w", l.Addr(), err)
	}
	return nil
}

// Drain makes /readyz answer 503 from now on, so that load balancers send no new clients.
func (s *Server) Drain() { s.draining.Store(true) }

// Draining tells whether Drain or Shutdown was called.
func (s *Server) Draining() bool { return s.draining.Load() }

// Shutdown calls release, which has to refuse new sessions of Options.Socket and end
// those there are, then stops accepting and waits until every request is answered. The
// operators' address answers until that is done. When ctx ends first, what is left is cut
// off and the error says so. Later calls wait for the first and return its error.
//
// Requests are answered while release runs: a client that polls can hear that its session
// is over, and get what was queued for it, only by asking once more, and between two
// polls it need not have a connection.
func (s *Server) Shutdown(ctx context.Context, release func(context.Context) error) error {
	s.shutdownOnce.Do(func() {
		s.Drain()
		s.shutdownErr = errors.Join(
			release(ctx),
			finish(ctx, s.public, "answer the last requests"),
			finish(ctx, s.operator, "close the operators' address"))
	})
	return s.shutdownErr
}

// finish shuts down what it can and cuts off the rest.
func finish(ctx context.Context, h *http.Server, what string) error {
	if err := h.Shutdown(ctx); err != nil {
		return errors.Join(fmt.Errorf("%s: %w", what, err), h.Close())
	}
	return nil
}

package simulation

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
	rtypes "github.com/zishang520/socket.io-go-redis/types"

	"socketio-chat/pkg/chat"
	"socketio-chat/pkg/e2e/simulation/line"
	"socketio-chat/pkg/e2e/verdict"
	"socketio-chat/pkg/redisadapter"
	"socketio-chat/pkg/socketio"
)

// A place is where servers are, one at a time.
type place struct {
	w      *world
	number int

	mu sync.Mutex
	in *server // nil: nobody is there, or it lets nobody in any more
}

func (p *place) server() *server {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.in
}

func (p *place) put(s *server) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.in = s
}

// succeed starts a server. People are sent to it once it is ready, as a balancer does.
func (p *place) succeed() {
	s := p.w.start()
	p.w.eventually("a new server has joined", func() bool { return s.builder.Status().Joined })
	p.put(s)
}

// end ends the server in order, if there is one.
func (p *place) end() {
	if s := p.server(); s != nil {
		p.put(nil)
		s.end()
	}
}

// kill lets the server drop dead.
func (p *place) kill() {
	if s := p.server(); s != nil {
		p.put(nil)
		s.kill()
	}
}

// A server is one life of a process, with its cables.
type server struct {
	w           *world
	number      int
	front, back *line.Line
	io          *socketio.Server
	builder     *redisadapter.Builder
	client      *redis.Client
	http        *http.Server
	callers     *line.Listener
	done        sync.WaitGroup

	ending *verdict.Ending // guarded by the world's mutex
}

// recoveryFor is how long sessions are kept, recoveryWait how long clients wait for theirs.
const recoveryFor = 30 * time.Second

// start starts a server as cmd/chat-server does.
func (w *world) start() *server {
	w.mu.Lock()
	s := &server{w: w, number: len(w.lives) + 1, callers: line.Listen("simulated")}
	w.lives = append(w.lives, s)
	w.incidents.Began(s.number)
	w.mu.Unlock()
	s.front, s.back = line.New(w.seed<<16|uint64(2*s.number)), line.New(w.seed<<16|uint64(2*s.number+1))
	log := slog.New(&refusalLog{w.log.With(slog.Int("server", s.number)).Handler(), &w.refusals, s.number})
	s.client = redis.NewClient(&redis.Options{
		Dialer:   func(context.Context, string, string) (net.Conn, error) { return s.back.Dial(w.redis.Serve) },
		Protocol: 2, DisableIdentity: true, ContextTimeoutEnabled: true, PoolSize: 1000,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	})
	s.builder = &redisadapter.Builder{Redis: rtypes.NewRedisClient(context.Background(), s.client), Mode: w.mode.adapter, Logger: log}
	options := socketio.Options{Adapter: s.builder, Logger: log}
	if w.mode.recovers {
		options.Recovery = socketio.Recovery{For: recoveryFor}
	}
	s.io = socketio.NewServer(options)
	chat.New(s.io, chat.Options{JoinNotice: true, Logger: log})
	serveRooms(s.io)
	s.http = &http.Server{Handler: s.io} //nolint:gosec // its callers are the test's
	s.done.Go(func() {
		if err := s.http.Serve(s.callers); !errors.Is(err, http.ErrServerClosed) {
			w.problem("serve: %v", err)
		}
	})
	return s
}

// call connects a person by the front line.
func (s *server) call() (net.Conn, error) { return s.front.Dial(s.callers.Serve) }

// The times of an end in order, as DRAIN_SECONDS=10 divides them: see cmd/chat-server.
const (
	drainNotice  = 2 * time.Second
	drainSpread  = 6 * time.Second
	drainTotal   = 10 * time.Second
	closeTimeout = 3 * time.Second
	release      = 2 * time.Second
)

// end ends it as SIGTERM does.
func (s *server) end() {
	began := time.Now()
	time.Sleep(drainNotice / 10) // the balancer has noticed
	ctx, cancel := context.WithTimeout(context.Background(), drainSpread+drainTotal/5)
	if s.io.Drain(ctx, drainSpread) != nil {
		_ = s.io.Engine().Close(ctx)
	}
	cancel()
	latest := began.Add(drainTotal)
	if soonest := time.Now().Add(closeTimeout); latest.Before(soonest) {
		latest = soonest
	}
	ctx, cancel = context.WithDeadline(context.Background(), latest)
	defer cancel()
	handing, stop := context.WithDeadline(ctx, latest.Add(-min(release, time.Until(latest)/2)))
	if err := s.io.HandOver(handing); err != nil {
		s.w.log.Warn("sessions are not left to other instances yet", slog.Int("server", s.number), slog.Any("err", err))
	}
	stop()
	releasing, stop := context.WithTimeout(ctx, release/2)
	defer stop()
	var given *socketio.HandOverError
	if err := s.io.Close(releasing); err != nil && !errors.As(err, &given) && !errors.Is(err, context.DeadlineExceeded) {
		s.w.problem("server %d does not close: %v", s.number, err)
	}
	s.close(ctx, false)
}

// kill ends it at once: nothing that it says any more gets out.
func (s *server) kill() {
	s.front.Cut()
	s.back.Cut()
	s.ended(verdict.Ending{At: s.w.now(), Killed: true})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = s.io.Close(ctx)
	s.close(ctx, true)
}

// close ends what is left after the server's Close.
func (s *server) close(ctx context.Context, killed bool) {
	var lost *redisadapter.UnpublishedError
	err := s.builder.Close(ctx)
	switch gaveUp := errors.As(err, &lost); {
	case killed:
	case err != nil && !gaveUp:
		s.w.problem("server %d does not leave the cluster: %v", s.number, err)
	default:
		s.ended(verdict.Ending{At: s.w.now(), GaveUp: gaveUp})
	}
	_ = s.client.Close()
	_ = s.http.Close()
	s.done.Wait()
}

func (s *server) ended(e verdict.Ending) {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	s.ending = &e
}

package redisadapter_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
	radapter "github.com/zishang520/socket.io-go-redis/adapter"
	rtypes "github.com/zishang520/socket.io-go-redis/types"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/e2e/simulation/fakeredis"
	"socketio-chat/pkg/e2e/simulation/line"
	"socketio-chat/pkg/redisadapter"
	"socketio-chat/pkg/redisadapter/internal/cluster"
	"socketio-chat/pkg/socketio"
)

// A bubble is a cluster in a bubble of testing/synctest: a Redis in memory, instances with a line to it each, and people on pipes. Its clock
// moves on when nothing else does.
type bubble struct {
	tb    testing.TB
	mode  redisadapter.Mode
	redis *fakeredis.Server
	// spread tells that the Redis is a Redis Cluster to the instances: one of a single server.
	spread bool
	made   int // instances so far
	nodes  []*node
	opts   radapter.RedisAdapterOptionsInterface // of instances to come
	// faulty tells that Redis may be away.
	faulty bool
	begun  func(*node) // may be nil; called with each instance before it serves
}

// patience bounds what must happen, on the bubble's clock.
const patience = time.Minute

func newBubble(tb testing.TB, mode redisadapter.Mode, nodes int) *bubble {
	b := &bubble{tb: tb, mode: mode, redis: newRedis()}
	for range nodes {
		b.start()
	}
	return b
}

func newRedis() *fakeredis.Server { return fakeredis.New() }

// node is an instance.
type node struct {
	b       *bubble
	name    string
	io      *socketio.Server
	chat    *socketio.Namespace
	builder *redisadapter.Builder
	client  redis.UniversalClient
	back    *line.Line
	http    *http.Server
	callers *line.Listener
	served  sync.WaitGroup
}

// start starts an instance, and returns when all know each other.
func (b *bubble) start() {
	b.begin()
	b.together()
}

// client makes an instance that only has a line to Redis.
func (b *bubble) client() *node {
	b.made++
	n := &node{b: b, name: fmt.Sprint("node-", b.made), back: line.New(uint64(b.made))}
	n.callers = line.Listen(n.name)
	if n.client = n.direct(); b.spread {
		n.client = n.clustered()
	}
	return n
}

func (n *node) dial(context.Context, string, string) (net.Conn, error) {
	return n.back.Dial(n.b.redis.Serve)
}

func (n *node) direct() *redis.Client {
	return redis.NewClient(&redis.Options{
		Dialer: n.dial, Protocol: 2, DisableIdentity: true, ContextTimeoutEnabled: true, PoolSize: 100,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	})
}

// clustered takes the Redis for the one server of a Redis Cluster.
func (n *node) clustered() *redis.ClusterClient {
	all := []redis.ClusterSlot{{End: cluster.Slots - 1, Nodes: []redis.ClusterNode{{Addr: "10.1.0.1:6379"}}}}
	return redis.NewClusterClient(&redis.ClusterOptions{
		ClusterSlots: func(context.Context) ([]redis.ClusterSlot, error) { return all, nil },
		Dialer:       n.dial, Protocol: 2, DisableIdentity: true, ContextTimeoutEnabled: true, PoolSize: 100,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	})
}

// begin starts an instance.
func (b *bubble) begin() {
	n := b.client()
	n.builder = &redisadapter.Builder{Redis: rtypes.NewRedisClient(context.Background(), n.client), Mode: b.mode, Opts: b.opts}
	n.io = socketio.NewServer(socketio.Options{Adapter: n.builder, Logger: slog.New(slog.DiscardHandler)})
	n.chat = n.io.Of("/chat")
	_ = n.chat.On("hello", func(args ...any) {
		if ack, ok := args[len(args)-1].(func([]any, error)); ok {
			ack([]any{n.name}, nil)
		}
	})
	if b.begun != nil {
		b.begun(n)
	}
	n.http = &http.Server{Handler: n.io} //nolint:gosec // its callers are the test's
	n.served.Go(func() { _ = n.http.Serve(n.callers) })
	b.nodes = append(b.nodes, n)
}

func (n *node) adapter() *redisadapter.Adapter { return n.chat.Adapter().(*redisadapter.Adapter) }

// together waits until all instances know each other, and nobody waits for anybody to come back any more.
func (b *bubble) together() {
	b.eventually("all have joined", func() bool {
		for _, n := range b.nodes {
			if s := n.builder.Status(); !s.Joined || s.Servers != len(b.nodes) {
				return false
			}
		}
		return true
	})
	time.Sleep(3 * time.Second)
}

// eventually waits for what nothing announces.
func (b *bubble) eventually(what string, ok func() bool) {
	b.tb.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			b.tb.Fatalf("never: %s", what)
		}
	}
}

// end ends an instance in order, or, killed, by its lines.
func (b *bubble) end(n *node, killed bool) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	if killed {
		n.back.Cut()
		cancel()
	}
	defer cancel()
	_ = n.io.Close(ctx)
	var given *redisadapter.UnpublishedError
	if err := n.builder.Close(ctx); err != nil && !killed && !(b.faulty && errors.As(err, &given)) {
		b.tb.Errorf("%s does not leave: %v", n.name, err)
	}
	_ = n.client.Close()
	_ = n.http.Close()
	n.served.Wait()
	for i, other := range b.nodes {
		if other == n {
			b.nodes = append(b.nodes[:i:i], b.nodes[i+1:]...)
			break
		}
	}
}

// close ends all, and the Redis. An adapter that still waits for something then has forgotten it.
func (b *bubble) close() {
	time.Sleep(patience)
	for _, n := range b.nodes {
		if left := n.adapter().Waiting(); left > 0 {
			b.tb.Errorf("%s still waits for %d answers", n.name, left)
		}
	}
	for len(b.nodes) > 0 {
		b.end(b.nodes[0], false)
	}
	b.redis.Kill()
	b.redis.Wait()
}

// A person is a client of protocol 4 in /chat. Whatever wants to be acknowledged is, with the person's name.
type person struct {
	name  string
	node  *node
	conn  net.Conn
	id    socket.SocketId
	ended chan struct{}

	mu    sync.Mutex
	heard []string
}

// connect connects a person.
func (b *bubble) connect(n *node, name string) *person {
	near, far := net.Pipe()
	if err := n.callers.Serve(far); err != nil {
		b.tb.Fatalf("%s: %v", name, err)
	}
	if _, _, err := (ws.Dialer{}).Upgrade(near, mustURL("http://chat/socket.io/?EIO=4&transport=websocket")); err != nil {
		b.tb.Fatalf("%s: %v", name, err)
	}
	p := &person{name: name, node: n, conn: near, ended: make(chan struct{})}
	ids := make(chan string, 1)
	go p.read(ids)
	select {
	case id := <-ids:
		p.id = socket.SocketId(id)
	case <-p.ended:
		b.tb.Fatalf("%s is not let in", name)
	}
	return p
}

// read reads until the connection ends.
func (p *person) read(ids chan<- string) {
	defer close(p.ended)
	defer p.conn.Close()
	for {
		text, _, err := wsutil.ReadServerData(p.conn)
		if err != nil {
			return
		}
		switch s := string(text); {
		case s == "2":
			p.say("3")
		case s[0] == '0':
			p.say("40/chat,")
		case strings.HasPrefix(s, "40/chat,"):
			ids <- strings.Split(s, `"`)[3]
		case strings.HasPrefix(s, "42/chat,"):
			id, event, _ := strings.Cut(s[len("42/chat,"):], "[")
			if id != "" {
				p.say(fmt.Sprintf("43/chat,%s[%q]", id, p.name))
			}
			p.mu.Lock()
			p.heard = append(p.heard, "["+event)
			p.mu.Unlock()
		}
	}
}

func (p *person) say(packet string) { _ = wsutil.WriteClientText(p.conn, []byte(packet)) }

// news are what was heard since it was asked for last.
func (p *person) news() (list []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	list, p.heard = p.heard, nil
	return list
}

// gone tells whether the connection has ended, or the server has ended the session.
func (p *person) gone() bool {
	_, there := p.node.chat.Sockets().Load(p.id)
	return !there
}

// leave ends the connection.
func (p *person) leave() {
	p.conn.Close()
	<-p.ended
}

func (p *person) socket() *socket.Socket {
	s, _ := p.node.chat.Sockets().Load(p.id)
	return s
}

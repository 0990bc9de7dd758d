package redisadapter

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/redisadapter/internal/wire"
	"socketio-chat/pkg/socketio"
)

// instance is a server with a cluster adapter and a listener of its own.
type instance struct {
	*socketio.Server
	tb      testing.TB
	name    string
	builder *Builder
	chat    *socketio.Namespace
	http    *httptest.Server
	changes chan Status
}

// newInstance starts an instance on r, which may be nil; change may change its builder before that.
func newInstance(tb testing.TB, r *testRedis, name string, change ...func(*Builder)) *instance {
	tb.Helper()
	i := &instance{tb: tb, name: name, changes: make(chan Status, 100)}
	i.builder = &Builder{
		Heartbeat: 50 * time.Millisecond, OnChange: func(s Status) { i.changes <- s },
		Logger: slog.New(slog.NewTextHandler(testLog{tb, name}, nil)),
	}
	if r != nil {
		i.builder.Redis = r.types(tb)
	}
	for _, c := range change {
		c(i.builder)
	}
	i.Server = socketio.NewServer(socketio.Options{Adapter: i.builder})
	i.chat = i.Of("/chat")
	i.http = httptest.NewServer(i.Server)
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), testPatience)
		defer cancel()
		if err := i.Server.Close(ctx); err != nil {
			tb.Errorf("close the server of %s: %v", name, err)
		}
		if err := i.builder.Close(ctx); err != nil {
			tb.Errorf("close the adapter of %s: %v", name, err)
		}
		i.http.Close()
	})
	return i
}

// testLog writes to the test's log.
type testLog struct {
	tb   testing.TB
	name string
}

func (l testLog) Write(b []byte) (int, error) {
	l.tb.Logf("%s: %s", l.name, strings.TrimSpace(string(b)))
	return len(b), nil
}

// newCluster starts instances and waits until each sees all.
func newCluster(tb testing.TB, r *testRedis, names ...string) []*instance {
	tb.Helper()
	return newModeCluster(tb, r, PubSub, names...)
}

// testModes are those that what all modes have in common is tested in.
var testModes = []Mode{PubSub, Sharded, Streams}

// eachMode runs a test in each mode.
func eachMode(t *testing.T, test func(t *testing.T, mode Mode)) {
	for _, mode := range testModes {
		t.Run(string(mode), func(t *testing.T) { test(t, mode) })
	}
}

// in sets the mode of an instance.
func in(mode Mode) func(*Builder) { return func(b *Builder) { b.Mode = mode } }

// newModeCluster is newCluster in a mode.
func newModeCluster(tb testing.TB, r *testRedis, mode Mode, names ...string) []*instance {
	tb.Helper()
	var list []*instance
	for _, name := range names {
		list = append(list, newInstance(tb, r, name, in(mode)))
	}
	return together(list)
}

// together waits until the instances see each other, and all of them listen in /chat: on a slow machine one may have joined before that
// namespace is made.
func together(list []*instance) []*instance {
	for _, i := range list {
		i.tb.Helper()
		i.joined()
		eventually(i.tb, i.name+" sees all", func() bool { return i.builder.Status().Servers >= len(list) })
		eventually(i.tb, "all listen in /chat", func() bool {
			census := make(chan wire.Census, 1)
			err := i.adapter().hub.Ask(i.adapter().format.Subscription().Listeners, func(c wire.Census, _ error) []wire.Out {
				census <- c
				return nil
			})
			return err == nil && (<-census).All >= len(list)
		})
	}
	return list
}

// joined waits until the instance has joined.
func (i *instance) joined() { i.tb.Helper(); i.changed(true) }

// lost waits until it has lost the cluster.
func (i *instance) lost() { i.tb.Helper(); i.changed(false) }

func (i *instance) changed(joined bool) {
	i.tb.Helper()
	select {
	case s := <-i.changes:
		if s.Joined != joined {
			i.tb.Fatalf("%s: joined is %v: %+v", i.name, s.Joined, s)
		}
	case <-time.After(testPatience):
		i.tb.Fatalf("%s: joined never became %v: %+v", i.name, joined, i.builder.Status())
	}
}

func (i *instance) adapter() *Adapter { return i.chat.Adapter().(*Adapter) }

// client is a WebSocket client of protocol 4 in the namespace /chat.
type client struct {
	tb   testing.TB
	name string
	conn net.Conn
	id   string
	r    io.Reader
}

// connect opens a client.
func (i *instance) connect(name string) *client {
	i.tb.Helper()
	c := i.dial(name)
	c.write("40/chat,")
	answer := c.read()
	if !strings.HasPrefix(answer, `40/chat,{"sid":"`) {
		i.tb.Fatalf("CONNECT is answered by %q", answer)
	}
	c.id = strings.Split(answer, `"`)[3]
	return c
}

// read returns the next packet, a binary one with "b:" before it. Heartbeats are answered.
func (c *client) read() string {
	c.tb.Helper()
	for {
		if err := c.conn.SetReadDeadline(time.Now().Add(testPatience)); err != nil {
			c.tb.Fatal(err)
		}
		b, op, err := wsutil.ReadServerData(struct {
			io.Reader
			io.Writer
		}{c.r, c.conn})
		switch {
		case err != nil:
			c.tb.Fatalf("%s: read: %v", c.name, err)
		case op == ws.OpBinary:
			return "b:" + string(b)
		case string(b) == "2":
			c.write("3")
		default:
			return string(b)
		}
	}
}

func (c *client) write(packet string) {
	c.tb.Helper()
	if err := wsutil.WriteClientText(c.conn, []byte(packet)); err != nil {
		c.tb.Fatalf("%s: write: %v", c.name, err)
	}
}

func (c *client) writeBinary(b []byte) {
	c.tb.Helper()
	if err := wsutil.WriteClientBinary(c.conn, b); err != nil {
		c.tb.Fatalf("%s: write: %v", c.name, err)
	}
}

// want reads events, given as their JSON text.
func (c *client) want(events ...string) {
	c.tb.Helper()
	for _, e := range events {
		if got, want := c.read(), "42/chat,"+e; got != want {
			c.tb.Fatalf("%s: got %.200s, want %.200s", c.name, got, want)
		}
	}
}

// socket finds a client's socket.
func (i *instance) socket(c *client) *socket.Socket {
	i.tb.Helper()
	s, ok := i.chat.Sockets().Load(socket.SocketId(c.id))
	if !ok {
		i.tb.Fatalf("%s has no socket %s", i.name, c.id)
	}
	return s
}

func raw(format string, args ...any) socketio.Payload {
	return socketio.Payload{JSON: fmt.Appendf(nil, format, args...)}
}

package metrics

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/admission"
	"socketio-chat/pkg/auth"
	"socketio-chat/pkg/chat"
	"socketio-chat/pkg/engineio"
	"socketio-chat/pkg/forward"
	"socketio-chat/pkg/membudget"
	"socketio-chat/pkg/redisadapter"
	"socketio-chat/pkg/socketio"
)

var update = flag.Bool("update", false, "write deploy/METRICS.md")

// goVersion is what chat_build_info should say.
var goVersion = runtime.Version()

// patience is how long a test waits for what must come.
const patience = 20 * time.Second

// A scene is a chat with metrics, and two people.
type scene struct {
	testing.TB
	io         *socketio.Server
	chat       *socketio.Namespace
	http       *httptest.Server
	metrics    *Metrics
	cluster    redisadapter.Status
	forward    forward.Stats
	limits     admission.Stats
	auth       auth.Stats
	messages   chat.Stats
	memory     membudget.Stats
	draining   bool
	alice, bob *client
	seen       map[string]bool // metrics that were seen to change
}

func newScene(t *testing.T, change ...func(*socketio.Options)) *scene {
	s := &scene{TB: t, seen: map[string]bool{}}
	options := socketio.Options{Engine: engineio.Options{
		PingInterval: 300 * time.Millisecond, PingTimeout: patience,
		QueueBytes: 64 << 10, WriteTimeout: 200 * time.Millisecond,
	}}
	for _, f := range change {
		f(&options)
	}
	s.io = socketio.NewServer(options)
	s.chat = s.io.Of("/chat")
	socketio.On(s.chat, "say", func(_ context.Context, _ *socket.Socket, in socketio.Payload) error {
		s.chat.Broadcast("said", in)
		return nil
	})
	socketio.On(s.chat, "fail", func(context.Context, *socket.Socket, socketio.Payload) error { return errors.New("as it should") })
	socketio.On(s.chat, "enter", func(_ context.Context, sock *socket.Socket, room string) error {
		sock.Join(socket.Room(room))
		return nil
	})
	s.http = httptest.NewServer(s.io)
	s.metrics = New(Sources{
		Server: s.io, Version: "v1.2.3",
		Cluster:  func() redisadapter.Status { return s.cluster },
		Draining: func() bool { return s.draining },
		Forward:  func() forward.Stats { return s.forward },
		Limits:   func() admission.Stats { return s.limits },
		Auth:     func() auth.Stats { return s.auth },
		Chat:     func() chat.Stats { return s.messages },
		Memory:   func() membudget.Stats { return s.memory },
	})
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond) // nobody polls for a goodbye
		defer cancel()
		_ = s.io.Close(ctx)
		if err := s.io.Close(context.Background()); err != nil {
			t.Error(err)
		}
		s.http.Close()
		http.DefaultClient.CloseIdleConnections()
	})
	return s
}

// series matches a line of a scrape.
var series = regexp.MustCompile(`(?m)^([a-z_]+(?:\{[^\n]*\})?) ([^ \n]+)$`)

// scrape returns all series and their values.
func (s *scene) scrape() map[string]float64 {
	s.Helper()
	all := map[string]float64{}
	for _, m := range series.FindAllStringSubmatch(scrape(s, s.metrics), -1) {
		v, err := strconv.ParseFloat(m[2], 64)
		if err != nil {
			s.Fatalf("%s: %v", m[0], err)
		}
		all[m[1]] = v
	}
	return all
}

// causes does something and expects these series to change by so much. What is written is counted a
// moment after it is read; heartbeats come at any time, so packets may be more.
func (s *scene) causes(what string, cause func(), want map[string]float64) {
	s.Helper()
	before := s.scrape()
	cause()
	var wrong []string
	for end := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		after := s.scrape()
		wrong = wrong[:0]
		for _, name := range slices.Sorted(maps.Keys(want)) {
			d := after[name] - before[name]
			if math.Abs(d-want[name]) > 1e-9 && !(d > want[name] && mayExceed(name)) {
				wrong = append(wrong, fmt.Sprintf("%s changed by %v, want %v", name, d, want[name]))
			}
		}
		if len(wrong) == 0 {
			break
		}
		if time.Now().After(end) {
			s.Fatalf("%s:\n%s", what, strings.Join(wrong, "\n"))
		}
	}
	for name, d := range want {
		name, _, _ = strings.Cut(name, "{")
		for _, suffix := range []string{"_count", "_sum", "_bucket"} {
			name = strings.TrimSuffix(name, suffix)
		}
		s.seen[name] = s.seen[name] || d != 0
	}
}

func mayExceed(name string) bool {
	for _, prefix := range []string{"chat_sent_", "chat_writes_", "chat_heartbeat_", "chat_outbox_bytes", "chat_outbox_max", "chat_slowed_", "chat_recovery_bytes"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

func (s *scene) eventually(what string, ok func() bool) {
	s.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			s.Fatalf("waited in vain: %s", what)
		}
	}
}

func (s *scene) get(path string) string {
	s.Helper()
	answer, err := http.Get(s.http.URL + path)
	if err != nil {
		s.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		s.Fatal(err)
	}
	return string(text)
}

// A client speaks Engine.IO as it is written in the test, over WebSocket or polling.
type client struct {
	*scene
	conn net.Conn
	path string // when polling
	sid  string
}

// dial opens a WebSocket and joins a namespace.
func (s *scene) dial(protocol int, nsp string) *client {
	s.Helper()
	c := s.dialURL(fmt.Sprintf("EIO=%d&transport=websocket", protocol))
	c.until(`0{"sid"`)
	c.send("40" + nsp + ",")
	c.until("0" + nsp + ",")
	return c
}

func (s *scene) dialURL(query string) *client {
	s.Helper()
	conn, early, _, err := ws.Dial(s.Context(), "ws"+strings.TrimPrefix(s.http.URL, "http")+"/socket.io/?"+query)
	if err != nil {
		s.Fatal(err)
	}
	c := &client{scene: s, conn: conn}
	if early != nil {
		c.conn = &behind{conn, io.MultiReader(io.LimitReader(early, int64(early.Buffered())), conn)}
	}
	s.Cleanup(func() { conn.Close() })
	return c
}

// behind reads first what came with the answer to the handshake.
type behind struct {
	net.Conn
	r io.Reader
}

func (b *behind) Read(p []byte) (int, error) { return b.r.Read(p) }

// poll opens a session by polling and joins a namespace.
func (s *scene) poll(protocol int, nsp string) *client {
	s.Helper()
	c := &client{scene: s, path: fmt.Sprintf("/socket.io/?EIO=%d&transport=polling", protocol)}
	sid := regexp.MustCompile(`"sid":"([^"]+)"`).FindStringSubmatch(s.get(c.path))
	if sid == nil {
		s.Fatal("no session")
	}
	c.sid = sid[1]
	c.path += "&sid=" + c.sid
	c.send("40" + nsp + ",")
	c.until("0" + nsp + ",")
	return c
}

func (c *client) send(packet string) {
	c.Helper()
	if c.conn != nil {
		if err := wsutil.WriteClientText(c.conn, []byte(packet)); err != nil {
			c.Fatal(err)
		}
		return
	}
	if strings.Contains(c.path, "EIO=3") {
		packet = fmt.Sprintf("%d:%s", len(packet), packet)
	}
	answer, err := http.Post(c.http.URL+c.path, "text/plain", strings.NewReader(packet))
	if err != nil {
		c.Fatal(err)
	}
	answer.Body.Close()
}

// until reads, answering heartbeats, until something contains the text, and returns that.
func (c *client) until(text string) string {
	c.Helper()
	for {
		got, err := c.read()
		if err != nil {
			c.Fatalf("waiting for %q: %v", text, err)
		}
		if strings.Contains(got, text) {
			return got
		}
	}
}

func (c *client) untilClosed() {
	for {
		if _, err := c.read(); err != nil {
			return
		}
	}
}

func (c *client) read() (string, error) {
	if c.conn == nil {
		return c.get(c.path), nil
	}
	if err := c.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return "", err
	}
	b, err := wsutil.ReadServerText(c.conn)
	if string(b) == "2" {
		c.send("3")
	}
	return string(b), err
}

package socketio

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"socketio-chat/pkg/e2e/simulation/line"
)

// A bubble is a server in a bubble of testing/synctest: its connections are pipes, and its clock stands still
// while anything runs.
type bubble struct {
	*Server
	t       *testing.T
	http    http.Server
	callers *line.Listener
	ended   sync.WaitGroup
}

func newBubble(t *testing.T, opts Options) *bubble {
	b := &bubble{Server: NewServer(opts), t: t, callers: line.Listen("bubble")}
	b.http.Handler = b.Server
	b.ended.Go(func() {
		if err := b.http.Serve(b.callers); !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("serve: %v", err)
		}
	})
	return b
}

// end closes the server; all goroutines of a bubble must end.
func (b *bubble) end() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := b.Server.Close(ctx); err != nil {
		b.t.Errorf("close: %v", err)
	}
	if err := b.http.Close(); err != nil {
		b.t.Errorf("close: %v", err)
	}
	b.ended.Wait()
}

// call opens a connection to the server, and returns the client's end of it.
func (b *bubble) call() net.Conn {
	client, server := net.Pipe()
	if err := b.callers.Serve(server); err != nil {
		b.t.Errorf("call: %v", err)
	}
	return client
}

// A bubbler is a client in a bubble that reads all that comes.
type bubbler struct {
	t    *testing.T
	conn net.Conn

	writing     chan struct{} // one at a time; a mutex would keep the clock from going on
	mu          sync.Mutex
	sid, pid    string
	offset      string
	recovered   bool
	heard, told int // events, and exceptions
	joined      chan struct{}
	line        *slowLine
}

// A slowLine brings so many bytes a second, 0: as many as there are.
type slowLine struct {
	io.Reader
	perSecond atomic.Int64
}

func (l *slowLine) Read(b []byte) (int, error) {
	n, err := l.Reader.Read(b[:min(len(b), 4096)])
	if perSecond := l.perSecond.Load(); perSecond > 0 {
		time.Sleep(time.Duration(n) * time.Second / time.Duration(perSecond))
	}
	return n, err
}

// join connects a client to "/", with the session of another one if that is not nil.
func (b *bubble) join(before *bubbler) *bubbler {
	b.t.Helper()
	client := b.call()
	dialer := ws.Dialer{NetDial: func(context.Context, string, string) (net.Conn, error) { return client, nil }}
	conn, br, _, err := dialer.Dial(context.Background(), "ws://bubble/socket.io/?EIO=4&transport=websocket")
	if err != nil {
		b.t.Fatalf("dial: %v", err)
	}
	c := &bubbler{t: b.t, conn: conn, writing: make(chan struct{}, 1), joined: make(chan struct{}), line: &slowLine{Reader: conn}}
	if br != nil {
		c.line.Reader = br
	}
	connect := "40"
	if before != nil {
		c.sid = before.sid
		auth, err := json.Marshal(map[string]string{"pid": before.pid, "offset": before.offset})
		if err != nil {
			b.t.Fatal(err)
		}
		connect += string(auth)
	}
	b.ended.Go(func() {
		c.read(struct {
			io.Reader
			io.Writer
		}{c.line, controlAnswers{c}})
	})
	c.write(connect)
	<-c.joined
	return c
}

// write reports false once the connection is over.
func (c *bubbler) write(packet string) bool { return c.send(ws.OpText, packet) }

// writeBinary is write of an attachment.
func (c *bubbler) writeBinary(data string) bool { return c.send(ws.OpBinary, data) }

func (c *bubbler) send(op ws.OpCode, data string) bool {
	c.writing <- struct{}{}
	defer func() { <-c.writing }()
	return wsutil.WriteClientMessage(c.conn, op, []byte(data)) == nil
}

// controlAnswers are what is written to control frames. Behind a writer of the test they wait as that does: a pipe's own lock would stop the
// bubble's clock, and with it a server that reads with pauses.
type controlAnswers struct{ c *bubbler }

func (a controlAnswers) Write(b []byte) (int, error) {
	a.c.writing <- struct{}{}
	defer func() { <-a.c.writing }()
	return a.c.conn.Write(b)
}

func (c *bubbler) read(rw io.ReadWriter) {
	defer c.conn.Close()
	for {
		data, err := wsutil.ReadServerText(rw)
		if err != nil {
			return
		}
		text := string(data)
		switch {
		case text == "2":
			go c.write("3") // a writer of the test may have the line
		case strings.HasPrefix(text, "40"):
			var hello struct{ SID, PID string }
			if json.Unmarshal(data[2:], &hello) != nil {
				c.t.Errorf("got %q", text)
			}
			c.mu.Lock()
			c.recovered = c.sid == hello.SID
			c.sid, c.pid = hello.SID, hello.PID
			c.mu.Unlock()
			close(c.joined)
		case strings.HasPrefix(text, `42["exception"`):
			c.mu.Lock()
			c.told++
			c.mu.Unlock()
		case strings.HasPrefix(text, "42"):
			var args []json.RawMessage
			c.mu.Lock()
			if json.Unmarshal(data[2:], &args) == nil && len(args) > 2 {
				_ = json.Unmarshal(args[len(args)-1], &c.offset)
			}
			c.heard++
			c.mu.Unlock()
		}
	}
}

// setLine makes what comes from now on come at so many bytes a second.
func (c *bubbler) setLine(perSecond int) { c.line.perSecond.Store(int64(perSecond)) }

// events is how many have been heard.
func (c *bubbler) events() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.heard
}

package adminui

import (
	"bufio"
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	"github.com/zishang520/socket.io/v2/socket"
	"golang.org/x/crypto/bcrypt"

	"socketio-chat/pkg/logs/logtest"
	"socketio-chat/pkg/socketio"
)

// patience decides only how soon a failure shows.
const patience = 20 * time.Second

const password = "correct horse"

// scene is a server with a namespace /chat that echoes "say" to everybody as "said".
type scene struct {
	t    *testing.T
	io   *socketio.Server
	ui   *UI
	http *httptest.Server
	log  *logtest.Buffer
}

func newScene(t *testing.T, o Options, recovery time.Duration) *scene {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	s := &scene{t: t, log: new(logtest.Buffer)}
	log := slog.New(slog.NewTextHandler(s.log, nil))
	s.io = socketio.NewServer(socketio.Options{Logger: log, Recovery: socketio.Recovery{For: recovery}})
	chat := s.io.Of("/chat")
	socketio.On(chat, "say", func(_ context.Context, _ *socket.Socket, in socketio.Payload) error {
		chat.Broadcast("said", in)
		return nil
	})
	o.Username, o.PasswordHash, o.Logger = "ops", hash, log
	if s.ui, err = Attach(s.io, o); err != nil {
		t.Fatal(err)
	}
	s.http = httptest.NewServer(s.io)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		s.ui.Close()
		if err := s.io.Close(ctx); err != nil {
			t.Error(err)
		}
		s.ui.Close()
		s.http.Close()
		if text := s.log.String(); strings.Contains(text, password) || strings.Contains(text, "hush") {
			t.Errorf("a secret in the log:\n%s", text)
		}
	})
	return s
}

// client speaks protocol 5 over WebSocket.
type client struct {
	t    *testing.T
	conn net.Conn
	id   string
	pid  string
}

// buffered reads what was read ahead first.
type buffered struct {
	net.Conn
	early *bufio.Reader
}

func (b buffered) Read(p []byte) (int, error) { return b.early.Read(p) }

// dial connects to the server, and join then to a namespace; refused is why it may not.
func (s *scene) dial(query string, header http.Header) *client {
	s.t.Helper()
	dialer := ws.Dialer{Header: ws.HandshakeHeaderHTTP(header), Timeout: patience}
	conn, early, _, err := dialer.Dial(s.t.Context(), "ws"+strings.TrimPrefix(s.http.URL, "http")+"/socket.io/?EIO=4&transport=websocket"+query)
	if err != nil {
		s.t.Fatal(err)
	}
	c := &client{t: s.t, conn: conn}
	if early != nil { // frames that came with the answer to the handshake
		c.conn = buffered{conn, early}
	}
	s.t.Cleanup(func() { conn.Close() })
	c.read()
	return c
}

func (c *client) write(text string) {
	c.t.Helper()
	if err := wsutil.WriteClientText(c.conn, []byte(text)); err != nil {
		c.t.Fatal(err)
	}
}

// read returns the next packet that is no heartbeat.
func (c *client) read() string {
	c.t.Helper()
	_ = c.conn.SetReadDeadline(time.Now().Add(patience))
	for {
		b, err := wsutil.ReadServerText(c.conn)
		if err != nil {
			c.t.Fatal(err)
		}
		if string(b) == "2" {
			c.write("3")
			continue
		}
		return string(b)
	}
}

func (c *client) join(nsp, auth string) (refused string) {
	c.t.Helper()
	c.write("40" + nsp + "," + auth)
	text := c.read()
	var answer struct{ Sid, Pid, Message string }
	_, rest, _ := strings.Cut(text, ",")
	if err := json.Unmarshal([]byte(rest), &answer); err != nil {
		c.t.Fatalf("%s: %v", text, err)
	}
	c.id, c.pid = answer.Sid, answer.Pid
	return answer.Message
}

// until reads up to the event, and returns its arguments; it fails on one that must not come before.
func (c *client) until(event string, never ...string) []json.RawMessage {
	c.t.Helper()
	for {
		text := c.read()
		_, list, ok := strings.Cut(text, ",")
		var args []json.RawMessage
		if !ok || !strings.HasPrefix(text, "42") || json.Unmarshal([]byte(list), &args) != nil {
			c.t.Fatalf("got %s", text)
		}
		var name string
		_ = json.Unmarshal(args[0], &name)
		if name == event {
			return args[1:]
		}
		for _, n := range never {
			if n == name {
				c.t.Fatalf("%s came: %s", n, text)
			}
		}
	}
}

// page joins as a page does; the first event after the session has been read.
func (s *scene) page(auth string) *client {
	s.t.Helper()
	c := s.dial("", nil)
	if refused := c.join(Namespace, auth); refused != "" {
		s.t.Fatal(refused)
	}
	return c
}

// chatter joins the chat.
func (s *scene) chatter() *client {
	s.t.Helper()
	c := s.dial("&token=hushhush&t=1", http.Header{"Authorization": {"Bearer hushhush"}, "Cookie": {"a=hushhush"}, "User-Agent": {"test"}})
	if refused := c.join("/chat", `{"token":"hushhush"}`); refused != "" {
		s.t.Fatal(refused)
	}
	return c
}

const login = `{"username":"ops","password":"` + password + `"}`

package chat_test

import (
	"context"
	"io"
	"log/slog"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	"go.uber.org/goleak"

	"socketio-chat/pkg/chat"
	"socketio-chat/pkg/logs/logtest"
	"socketio-chat/pkg/socketio"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve runs a gateway and returns its address, "ws://…", and its log.
func serve(t *testing.T, notice bool) (string, *logtest.Buffer) {
	t.Helper()
	l := new(logtest.Buffer)
	server := socketio.NewServer(socketio.Options{})
	chat.New(server, chat.Options{
		JoinNotice: notice,
		Logger:     slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	h := httptest.NewServer(server)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := server.Close(ctx); err != nil {
			t.Error(err)
		}
		h.Close()
	})
	return "ws" + strings.TrimPrefix(h.URL, "http"), l
}

type client struct {
	t      *testing.T
	rw     io.ReadWriteCloser
	answer string // to its CONNECT
}

func join(t *testing.T, address, query, connect string) *client {
	t.Helper()
	conn, br, _, err := ws.Dial(context.Background(), address+"/socket.io/?transport=websocket&"+query)
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second)) // a bound for a test that fails
	t.Cleanup(func() { conn.Close() })
	c := &client{t: t, rw: conn}
	if br != nil {
		c.rw = struct {
			io.Reader
			io.WriteCloser
		}{io.MultiReader(io.LimitReader(br, int64(br.Buffered())), conn), conn}
	}
	c.send(connect)
	for c.answer = c.next(); !strings.HasPrefix(c.answer, "40/chat,"); c.answer = c.next() {
		if c.answer[0] != '0' && c.answer != "40" {
			t.Fatalf("got %q", c.answer)
		}
	}
	return c
}

func (c *client) send(m string) {
	c.t.Helper()
	if err := wsutil.WriteClientText(c.rw, []byte(m)); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) next() string {
	c.t.Helper()
	b, err := wsutil.ReadServerText(c.rw)
	if err != nil {
		c.t.Fatal(err)
	}
	return string(b)
}

func (c *client) want(messages ...string) {
	c.t.Helper()
	for _, want := range messages {
		if got := c.next(); got != want {
			c.t.Fatalf("got  %q\nwant %q", got, want)
		}
	}
}

const notice = `42/chat,["msgToClient",{"name":"admin","text":"join chat."}]`

func TestChat(t *testing.T) {
	address, log := serve(t, true)
	alice := join(t, address, "EIO=3&username=alice", "40/chat,")
	alice.want(notice)
	bob := join(t, address, "EIO=4", "40/chat,")
	bob.want(notice)
	alice.want(notice)
	carol := join(t, address, "EIO=3", "40/chat?username=a&username=b,")
	for _, c := range []*client{alice, bob, carol} {
		c.want(notice)
	}

	for _, m := range []string{`{"name":"a","text":"안녕"}`, `{"text":1.0,"z":[],"name":null}`, `"text"`, `null`} {
		bob.send(`42/chat,7["msgToServer",` + m + `]`) // the acknowledgement never comes
		for _, c := range []*client{alice, bob, carol} {
			c.want(`42/chat,["msgToClient",` + m + `]`)
		}
	}
	alice.send(`42/chat,["msgToServer"]`)
	alice.send(`42/chat,["msgToServer",1,{"b":2}]`)
	for _, c := range []*client{alice, bob, carol} {
		c.want(`42/chat,["msgToClient",null]`, `42/chat,["msgToClient",[1,{"b":2}]]`)
	}

	bob.send("41/chat,")
	alice.send(`41/chat,`)
	for _, want := range []string{
		`msg="Socket Server Init Complete"`,
		`msg="/chat#[\w-]+\(alice\) is connected!"`,
		`msg="[\w-]{24}\(undefined\) is connected!"`,
		`msg="/chat#[\w-]+\(a,b\) is connected!"`,
		`msg="/chat#[\w-]+ is disconnected\.\.\."`,
		`msg="[\w-]{24} is disconnected\.\.\."`,
	} {
		re := regexp.MustCompile(`level=DEBUG ` + want)
		for deadline := time.Now().Add(10 * time.Second); !re.MatchString(log.String()); time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("the log does not match %s:\n%s", want, log)
			}
		}
	}
}

func TestWithoutNotice(t *testing.T) {
	address, _ := serve(t, false)
	alice := join(t, address, "EIO=4", "40/chat,")
	alice.send(`42/chat,["msgToServer","first"]`)
	alice.want(`42/chat,["msgToClient","first"]`)
}

package auth

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/logs/logtest"
	"socketio-chat/pkg/socketio"
)

// patience decides only how soon a failure shows.
const patience = 20 * time.Second

// scene is a server with a guarded namespace /chat.
type scene struct {
	t     *testing.T
	guard *Guard
	io    *socketio.Server
	http  *httptest.Server
	names chan string // of those who joined
	log   *logtest.Buffer
}

func newScene(t *testing.T, o Options) *scene {
	s := &scene{t: t, names: make(chan string, 100), log: new(logtest.Buffer)}
	log := slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s.io = socketio.NewServer(socketio.Options{Logger: log})
	chat := s.io.Of("/chat")
	s.guard = Protect(chat, newVerifier(t, o), log)
	chat.OnConnect(func(_ context.Context, sock *socket.Socket) error {
		s.names <- Name(sock) + "/" + Subject(sock)
		return nil
	})
	s.http = httptest.NewServer(s.io)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := s.io.Close(ctx); err != nil {
			t.Error(err)
		}
		s.guard.Close()
		s.http.Close()
		if n := s.guard.Watched(); n != 0 {
			t.Errorf("%d tokens are watched after the end", n)
		}
		if text := s.log.String(); strings.Contains(text, "eyJhbGciOi") { // {"alg":
			t.Errorf("a token in the log:\n%s", text)
		}
	})
	return s
}

// caller is a client that shows every message as it is.
type caller struct {
	t  *testing.T
	rw io.ReadWriteCloser
}

func (s *scene) dial(protocol int, query string, header http.Header) *caller {
	s.t.Helper()
	address := fmt.Sprintf("ws%s/socket.io/?EIO=%d&transport=websocket&%s", strings.TrimPrefix(s.http.URL, "http"), protocol, query)
	conn, br, _, err := ws.Dialer{Header: ws.HandshakeHeaderHTTP(header)}.Dial(context.Background(), address)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	c := &caller{s.t, conn}
	if br != nil {
		c.rw = struct {
			io.Reader
			io.WriteCloser
		}{io.MultiReader(io.LimitReader(br, int64(br.Buffered())), conn), conn}
	}
	return c
}

func (c *caller) send(m string) {
	c.t.Helper()
	if err := wsutil.WriteClientText(c.rw, []byte(m)); err != nil {
		c.t.Fatal(err)
	}
}

// want skips messages until one begins so.
func (c *caller) want(prefix string) string {
	c.t.Helper()
	for {
		b, err := wsutil.ReadServerText(c.rw)
		if err != nil {
			c.t.Fatalf("%v before %q came", err, prefix)
		}
		if strings.HasPrefix(string(b), prefix) {
			return string(b)
		}
	}
}

func TestWhereTokensComeFrom(t *testing.T) {
	s := newScene(t, Options{Secret: secret})
	kim := sign(t, "HS256", secret, claims())
	lee := sign(t, "HS256", secret, claims("name", "Lee", "sub", "7"))
	bearer := func(values ...string) http.Header { return http.Header{"Authorization": values} }
	const in, missing, malformed = "40/chat,", "authentication is required", "not a JSON Web Token"
	for _, tt := range []struct {
		name, query string
		header      http.Header
		connect     string
		protocol    int
		want        string
		who         string
	}{
		{"auth object", "", nil, `40/chat,{"token":"` + kim + `"}`, 4, in, "Kim/42"},
		{"auth object, with Bearer", "", nil, `40/chat,{"token":"Bearer ` + kim + `"}`, 4, in, "Kim/42"},
		{"query of the namespace", "", nil, "40/chat?token=" + kim + ",", 3, in, "Kim/42"},
		{"query of the namespace, 1.x", "", nil, "40/chat?token=" + kim, 3, in, "Kim/42"},
		{"query of the connection", "token=" + kim, nil, "40/chat,", 3, in, "Kim/42"},
		{"query of the connection, protocol 4", "token=" + kim, nil, "40/chat,", 4, in, "Kim/42"},
		{"header", "", bearer("Bearer " + kim), "40/chat,", 3, in, "Kim/42"},
		{"header, protocol 4", "", bearer("bearer  " + kim), "40/chat,{}", 4, in, "Kim/42"},
		{"header behind another one", "", bearer("Basic eDp5", "Bearer "+kim), "40/chat,", 4, in, "Kim/42"},
		{"the nearest counts: auth object", "token=" + lee, bearer("Bearer " + lee), `40/chat,{"token":"` + kim + `"}`, 4, in, "Kim/42"},
		{"the nearest counts: query of the namespace", "token=" + lee, bearer("Bearer " + lee), "40/chat?token=" + kim + ",", 3, in, "Kim/42"},
		{"the nearest counts: query", "token=" + lee, bearer("Bearer " + kim), "40/chat,", 4, in, "Lee/7"},

		{"none", "", nil, "40/chat,", 3, missing, ""},
		{"none, protocol 4", "", nil, "40/chat,{}", 4, missing, ""},
		{"another scheme", "", bearer("Basic " + kim), "40/chat,", 4, missing, ""},
		{"a wrong one is not passed over", "token=" + kim, nil, `40/chat,{"token":"x"}`, 4, malformed, ""},
		{"an empty one is not passed over", "token=" + kim, nil, `40/chat,{"token":""}`, 4, missing, ""},
		{"null", "token=" + kim, nil, `40/chat,{"token":null}`, 4, malformed, ""},
		{"a list", "", nil, `40/chat,{"token":["` + kim + `"]}`, 4, malformed, ""},
		{"two in the query", "token=" + kim + "&token=" + lee, nil, "40/chat,", 4, malformed, ""},
		{"two headers", "", bearer("Bearer "+kim, "Bearer "+lee), "40/chat,", 4, malformed, ""},
		{"in other letters", "Token=" + kim, nil, "40/chat,", 4, missing, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := s.dial(tt.protocol, tt.query, tt.header)
			c.send(tt.connect)
			answer := c.want("4" + map[bool]string{true: "0", false: "4"}[tt.want == in] + "/chat")
			if !strings.Contains(answer, tt.want) || strings.Contains(answer, "eyJ") {
				t.Errorf("got %q", answer)
			}
			if tt.protocol == 3 && tt.want != in && !strings.HasPrefix(answer, `44/chat,"`) {
				t.Errorf("protocol 3 expects a text, not %q", answer)
			}
			if tt.who != "" {
				if got := <-s.names; got != tt.who {
					t.Errorf("%q joined", got)
				}
			}
			_ = c.rw.Close()
		})
	}
	if len(s.names) != 0 {
		t.Errorf("%q joined too", <-s.names)
	}
}

// A token is good for one socket, not for those who come after it on the same connection.
func TestEveryConnectIsChecked(t *testing.T) {
	s := newScene(t, Options{Secret: secret})
	c := s.dial(4, "", nil)
	for range 3 {
		c.send(`40/chat,{"token":"` + sign(t, "HS256", secret, claims()) + `"}`)
		c.want("40/chat,{")
		c.send("41/chat,")
		c.send("40/chat,{}")
		c.want("44/chat,")
	}
	if got := s.guard.verifier.Stats(); got.Accepted != 3 || got.RefusedMissing != 3 {
		t.Errorf("%+v", got)
	}
}

// The end comes at its time, with its reason; a client that leaves before it is not watched any more.
func TestExpiryDisconnects(t *testing.T) {
	s := newScene(t, Options{Secret: secret})
	end := time.Now().Add(1500 * time.Millisecond).Truncate(time.Second).Add(time.Second)
	token := sign(t, "HS256", secret, claims("exp", end.Unix()))
	var clients []*caller
	for i := range 8 {
		c := s.dial(3+i%2, "token="+url.QueryEscape(token), nil)
		c.send("40/chat,")
		c.want("40/chat,")
		clients = append(clients, c)
	}
	early := s.dial(4, "token="+token, nil)
	early.send("40/chat,")
	early.want("40/chat,")
	_ = early.rw.Close()
	forever := s.dial(4, "token="+sign(t, "HS256", secret, claims("exp", nil)), nil)
	forever.send("40/chat,")
	forever.want("40/chat,")
	for _, c := range clients {
		c.want(`42/chat,["exception",{"code":"token_expired","message":"the token has expired: get a new one","status":"error"}]`)
		c.want("41/chat,")
		if time.Now().Before(end) {
			t.Error("disconnected too early")
		}
	}
	forever.send("41/chat,")
	forever.send("40/chat,")
	forever.want("40/chat,")
	if got := s.guard.verifier.Stats().Expired; got != uint64(len(clients)) {
		t.Errorf("%d expired", got)
	}
}

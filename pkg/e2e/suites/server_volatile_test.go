//go:build unix

package suites

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/socketio"
)

// pollingClient is a session on polling by hand, which polls only when told.
type pollingClient struct {
	t   *testing.T
	url string
}

func (c *pollingClient) do(method, body string) string {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.url, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return string(b)
}

// TestServerVolatile drops volatile events that cannot leave at once, and no others.
func TestServerVolatile(t *testing.T) {
	server := newServer(t, socketio.Options{})
	ns := server.Of("/")
	sockets := make(chan *socket.Socket, 2)
	onSocket(ns, func(s *socket.Socket) {
		listen(s, "sync", func(_ []any, ack socket.Ack) { ack(nil, nil) })
		sockets <- s
	})

	t.Run("without a poll that waits", func(t *testing.T) {
		web := httptest.NewServer(server)
		defer web.Close()
		c := &pollingClient{t, web.URL + "/socket.io/?EIO=4&transport=polling"}
		_, rest, _ := strings.Cut(c.do("GET", ""), `"sid":"`)
		sid, _, _ := strings.Cut(rest, `"`)
		c.url += "&sid=" + sid
		c.do("POST", "40")
		s := <-sockets
		for got := ""; !strings.Contains(got, "40{"); {
			got = c.do("GET", "")
		}
		for _, emit := range []func(string, ...any) error{s.Volatile().Emit, ns.Volatile().Emit, ns.To(room(s)).Volatile().Emit} {
			if err := emit("volatile", 1, []byte{2}); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Emit("regular", 3); err != nil {
			t.Fatal(err)
		}
		if got := c.do("GET", ""); got != `42["regular",3]` {
			t.Errorf("got %q", got)
		}
		c.do("POST", "41")
	})
	t.Run("on a WebSocket that takes everything", func(t *testing.T) {
		c := join(t, server, ns)
		s := <-sockets
		for _, emit := range []func(string, ...any) error{s.Volatile().Emit, ns.Volatile().Emit} {
			// What was sent just before may not have left: then it is dropped, too.
			for try := 0; ; try++ {
				if try == 100 {
					t.Fatal("100 volatile events were dropped")
				}
				c.Call("sync")
				if err := emit("volatile", []byte{2}); err != nil {
					t.Fatal(err)
				}
				_ = s.Emit("end")
				if c.Next().Name == "volatile" {
					c.Expect("end")
					break
				}
			}
		}
	})
}

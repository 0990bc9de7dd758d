//go:build unix

package suites

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

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
	onSocket(ns, func(s *socket.Socket) { sockets <- s })

	web := httptest.NewServer(server)
	t.Cleanup(web.Close)
	c := &pollingClient{t, web.URL + "/socket.io/?EIO=4&transport=polling"}
	_, rest, _ := strings.Cut(c.do("GET", ""), `"sid":"`)
	sid, _, _ := strings.Cut(rest, `"`)
	c.url += "&sid=" + sid
	c.do("POST", "40")
	s := <-sockets
	for got := ""; !strings.Contains(got, "40{"); {
		got = c.do("GET", "")
	}
	volatile := []func(string, ...any) error{s.Volatile().Emit, ns.Volatile().Emit, ns.To(room(s)).Volatile().Emit}

	t.Run("without a poll that waits", func(t *testing.T) {
		for _, emit := range volatile {
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
	})
	t.Run("with a poll that waits", func(t *testing.T) {
		for _, emit := range volatile {
			answer := make(chan string)
			go func() { answer <- c.do("GET", "") }()
			for got := ""; got == ""; { // nothing tells when the poll is there
				if err := emit("volatile", 1); err != nil {
					t.Fatal(err)
				}
				select {
				case got = <-answer:
				case <-time.After(time.Millisecond):
				}
				if got != "" && got != `42["volatile",1]` {
					t.Errorf("got %q, want one event", got)
				}
			}
		}
	})
	c.do("POST", "41")
}

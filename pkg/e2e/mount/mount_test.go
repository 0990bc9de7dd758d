package mount

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/socketio"
	"socketio-chat/pkg/socketio/sockettest"
)

// TestMounted: in each router clients open a WebSocket, and others begin with polling.
func TestMounted(t *testing.T) {
	gin.SetMode(gin.TestMode)
	for name, mount := range map[string]func(*socketio.Server) http.Handler{"net/http": NetHTTP, "chi": Chi, "gin": Gin, "echo": Echo} {
		t.Run(name, func(t *testing.T) {
			server := socketio.NewServer(socketio.Options{})
			t.Cleanup(func() {
				ctx, cancel := context.WithTimeout(context.Background(), sockettest.Patience)
				defer cancel()
				if err := server.Close(ctx); err != nil {
					t.Error(err)
				}
			})
			socketio.Handle(server.Of("/chat"), "echo", func(_ context.Context, _ *socket.Socket, in socketio.Payload) (socketio.Payload, error) {
				return in, nil
			})
			handler := mount(server)

			c := sockettest.Connect(t, handler, "/chat")
			if got := c.Call("echo", "hello").JSON; string(got) != `"hello"` {
				t.Errorf("echoed %s", got)
			}

			poll(t, handler)
		})
	}
}

// poll opens a session by polling, and closes it.
func poll(t *testing.T, handler http.Handler) {
	t.Helper()
	web := httptest.NewServer(handler)
	defer web.Close()
	address := web.URL + "/socket.io/?EIO=4&transport=polling"
	res, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var open struct{ Sid string }
	body, err := io.ReadAll(res.Body)
	if err != nil || len(body) == 0 || body[0] != '0' || json.Unmarshal(body[1:], &open) != nil {
		t.Fatalf("a poll answers %s, %v", body, err)
	}
	closed, err := http.Post(address+"&sid="+open.Sid, "text/plain", strings.NewReader("1"))
	if err != nil {
		t.Fatal(err)
	}
	defer closed.Body.Close()
	if closed.StatusCode != http.StatusOK {
		t.Errorf("closing answers %s", closed.Status)
	}
}

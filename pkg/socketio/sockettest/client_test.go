package sockettest_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/socketio"
	"socketio-chat/pkg/socketio/sockettest"
)

func newServer(t *testing.T) *socketio.Server {
	t.Helper()
	io := socketio.NewServer(socketio.Options{})
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), sockettest.Patience)
		defer cancel()
		if err := io.Close(ctx); err != nil {
			t.Errorf("close the server: %v", err)
		}
	})
	return io
}

func TestHandlerInTenLines(t *testing.T) {
	io := newServer(t)
	game := io.Of("/game")
	socketio.Handle(game, "move", func(_ context.Context, _ *socket.Socket, step int) (int, error) {
		game.Broadcast("moved", step)
		return step * 2, nil
	})

	alice, bob := sockettest.Connect(t, io, "/game"), sockettest.Connect(t, io, "/game")
	var answer, seen int
	if err := alice.Call("move", 21).Decode(&answer); err != nil || answer != 42 {
		t.Errorf("acknowledged with %d, %v", answer, err)
	}
	bob.Expect("moved", &seen)
	alice.Expect("moved", &seen)
	if seen != 21 {
		t.Errorf("saw %d", seen)
	}
}

func TestAttachmentsBothWays(t *testing.T) {
	io := newServer(t)
	socketio.Handle(io.Of("/"), "echo", func(_ context.Context, _ *socket.Socket, in socketio.Payload) (socketio.Payload, error) {
		return in, nil
	})
	c := sockettest.Connect(t, io, "/")
	var got []byte
	if err := c.Call("echo", []byte("bytes")).Decode(&got); err != nil || !bytes.Equal(got, []byte("bytes")) {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestHandshakeAndRefusal(t *testing.T) {
	io := newServer(t)
	io.Of("/vip").Use(func(s *socket.Socket, next func(*socket.ExtendedError)) {
		auth, _ := s.Handshake().Auth.(map[string]any)
		query := s.Handshake().Query["from"]
		if auth["key"] != "secret" || len(query) != 1 || query[0] != "test" {
			next(socket.NewExtendedError("members only", map[string]any{"code": 7}))
			return
		}
		next(nil)
	})
	message, data := sockettest.Refused(t, io, "/vip", sockettest.Auth(map[string]string{"key": "wrong"}))
	if message != "members only" || string(data.JSON) != `{"code":7}` {
		t.Errorf("refused with %q, %s", message, data.JSON)
	}
	c := sockettest.Connect(t, io, "/vip", sockettest.Auth(map[string]string{"key": "secret"}), sockettest.Query("from", "test"))
	if c.ID == "" {
		t.Error("no id")
	}
}

func TestServerAsksAndDisconnects(t *testing.T) {
	io := newServer(t)
	answers := make(chan any, 1)
	reasons := make(chan string, 2)
	ns := io.Of("/")
	ns.OnConnect(func(_ context.Context, s *socket.Socket) error {
		return s.Emit("ready?", socket.Ack(func(args []any, _ error) { answers <- args[0]; s.Disconnect(false) }))
	})
	ns.OnDisconnect(func(_ context.Context, _ *socket.Socket, reason string) { reasons <- reason })

	c := sockettest.Connect(t, io, "/")
	c.Expect("ready?").Acknowledge("yes")
	if got := <-answers; got != "yes" {
		t.Errorf("the client answered %v", got)
	}
	c.ExpectDisconnect()
	if got := <-reasons; got != "server namespace disconnect" {
		t.Errorf("reason %q", got)
	}

	second := sockettest.Connect(t, io, "/")
	second.Expect("ready?") // a socket that is gone before OnConnect was never there
	second.Cut()
	if got := <-reasons; got != "transport close" && got != "transport error" {
		t.Errorf("reason %q", got)
	}
}

func TestOnConnectErrorDisconnects(t *testing.T) {
	io := newServer(t)
	io.Of("/").OnConnect(func(context.Context, *socket.Socket) error { return errors.New("not today") })
	sockettest.Connect(t, io, "/").ExpectDisconnect()
}

func TestEmptyAttachment(t *testing.T) {
	io := newServer(t)
	socketio.Handle(io.Of("/"), "echo", func(_ context.Context, _ *socket.Socket, in socketio.Payload) (socketio.Payload, error) {
		return in, nil
	})
	c := sockettest.Connect(t, io, "/")
	got := []byte("something")
	if err := c.Call("echo", []byte{}).Decode(&got); err != nil || len(got) != 0 {
		t.Errorf("got %q, %v", got, err)
	}
}

package socketio

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/zishang520/socket.io/v2/socket"
)

const tenParts = `510-/chat,["x"]`

// Parts that are announced and sent, but for the last one, are no more than one message may be.
func TestUnfinishedAttachments(t *testing.T) {
	part := strings.Repeat("x", 120_000)
	bothProtocols(t, func(t *testing.T, protocol int) {
		s := newTestServer(t, Options{})
		s.Of("/chat")
		c := s.dialJoined(t, protocol, "/chat")
		c.send(tenParts)
		for range 9 { // 1,080,000 bytes
			c.sendBinary(part)
		}
		c.wantClosed()
		if got := s.LimitStats().RefusedPackets; got != 1 {
			t.Errorf("counted %d", got)
		}
	})
}

// As large as one message may be, all together, they are an event; and one that comes after them, too.
func TestManyAttachments(t *testing.T) {
	bothProtocols(t, func(t *testing.T, protocol int) {
		s := newTestServer(t, Options{})
		Handle(s.Of("/chat"), "x", func(_ context.Context, _ *socket.Socket, in Payload) (int, error) {
			n := 0
			for _, b := range in.Attachments {
				n += len(b)
			}
			return n, nil
		})
		c := s.dialJoined(t, protocol, "/chat")
		for range 2 {
			c.send(`510-/chat,7["x",{"_placeholder":true,"num":9}]`)
			for range 10 {
				c.sendBinary(strings.Repeat("x", 99_990))
			}
			c.want(`3/chat,7[999900]`)
		}
	})
}

// A client that does not send the next part in time is closed; one that sends the last has all the time there is.
func TestLateAttachment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // the clock is the bubble's
		b := newBubble(t, Options{Limits: Limits{AttachmentTimeout: time.Second}})
		defer b.end()
		root := b.Of("/")
		On(root, "slow", func(context.Context, *socket.Socket, Payload) error {
			time.Sleep(5 * time.Second) // ours, not the client's
			root.Broadcast("done")
			return nil
		})
		patient := b.join(nil)
		for range 2 {
			patient.write(`451-["slow",{"_placeholder":true,"num":0}]`)
			time.Sleep(900 * time.Millisecond)
			patient.writeBinary("x")
			time.Sleep(10 * time.Second)
		}
		for parts := range 3 {
			late := b.join(nil)
			late.write(`4510-["x"]`)
			for range parts {
				time.Sleep(900 * time.Millisecond)
				late.writeBinary("x")
			}
			time.Sleep(900 * time.Millisecond)
			if !late.write("3") {
				t.Errorf("closed too early, after %d parts", parts)
			}
			time.Sleep(10 * time.Second)
			if late.write("3") {
				t.Errorf("not closed after %d parts", parts)
			}
		}
		if got := patient.events(); got != 2 {
			t.Errorf("%d of 2 were handled", got)
		}
		patient.conn.Close()
	})
}

// A part that crawls over a slow line may take as long as its session lasts without a pong, as on Node's servers.
func TestSlowAttachment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, Options{})
		defer b.end()
		root := b.Of("/")
		On(root, "slow", func(context.Context, *socket.Socket, Payload) error {
			root.Broadcast("done")
			return nil
		})
		slow := b.join(nil)
		slow.write(`451-["slow",{"_placeholder":true,"num":0}]`)
		time.Sleep(44 * time.Second) // pinged after 25 s, its pong waits behind the part
		slow.writeBinary("x")
		slow.write("3")
		synctest.Wait()
		if got := slow.events(); got != 1 {
			t.Errorf("%d of 1 were handled", got)
		}
		slow.conn.Close()
	})
}

// In both protocols the log says why.
func TestLateAttachmentIsLogged(t *testing.T) {
	bothProtocols(t, func(t *testing.T, protocol int) {
		s := newTestServer(t, Options{Limits: Limits{AttachmentTimeout: 50 * time.Millisecond}})
		s.Of("/chat")
		late := s.dialJoined(t, protocol, "/chat")
		late.send(tenParts)
		late.wantClosed()
		if !strings.Contains(s.log.String(), errLate.Error()) {
			t.Error("the log does not say why")
		}
	})
}

// Nothing is kept for a namespace that the client is not in. Protocol 4 closes, protocol 3 ignores it
// all, as the references do.
func TestAttachmentsBeforeConnect(t *testing.T) {
	s := newTestServer(t, Options{})
	s.Of("/chat")
	c := s.dial(t, 4, "")
	c.send(tenParts)
	c.wantClosed()

	c = s.dial(t, 3, "")
	c.want("0")
	c.send(tenParts)
	for range 10 {
		c.sendBinary(strings.Repeat("x", 90_000))
	}
	c.join("/chat")
}

// Parts that come while a middleware thinks about the client are not read before it has decided.
func TestAttachmentsBehindConnect(t *testing.T) {
	bothProtocols(t, func(t *testing.T, protocol int) {
		s := newTestServer(t, Options{})
		chat := s.Of("/chat")
		asked, decide := make(chan struct{}, 1), make(chan bool, 1)
		chat.Use(func(_ *socket.Socket, next func(*socket.ExtendedError)) {
			asked <- struct{}{}
			go func() {
				if <-decide {
					next(nil)
				} else {
					next(socket.NewExtendedError("no", nil))
				}
			}()
		})
		Handle(chat, "x", func(_ context.Context, _ *socket.Socket, in Payload) (int, error) { return len(in.Attachments), nil })
		for _, welcome := range []bool{true, false} {
			c := s.dial(t, protocol, "")
			if protocol == 3 {
				c.want("0")
			}
			c.send("0/chat,")
			receive(t, asked)
			c.send(`52-/chat,1["x",{"_placeholder":true,"num":0}]`)
			c.sendBinary("a")
			c.sendBinary("b")
			decide <- welcome
			if m := c.next(); strings.HasPrefix(m, "0/chat") != welcome {
				t.Fatalf("got %q", m)
			}
			if welcome {
				c.want(`3/chat,1[2]`)
			} else if protocol == 4 {
				continue // closed, if the event came after the refusal
			}
			c.send("0/nowhere,")
			if m := c.next(); !strings.HasPrefix(m, "4/nowhere,") {
				t.Errorf("got %q", m)
			}
		}
	})
}

// What waits for its last part, or for a namespace that is not joined yet, counts when memory is short, however long ago it came: it goes
// before a client that chats.
func TestWhatWaitsIsShedFirst(t *testing.T) {
	s := newTestServer(t, Options{})
	asked := make(chan struct{}, 1)
	s.Of("/slow").Use(func(_ *socket.Socket, next func(*socket.ExtendedError)) { asked <- struct{}{} })
	Handle(s.Of("/chat"), "x", func(_ context.Context, _ *socket.Socket, in Payload) (string, error) { return "heard", nil })
	polite := s.dialJoined(t, 4, "/chat")
	chats := func() {
		polite.send(`2/chat,1["x","` + strings.Repeat("x", 50_000) + `"]`)
		polite.want(`3/chat,1["heard"]`)
	}
	hoards := map[string]func(c *testClient){
		"parts": func(c *testClient) {
			c.join("/chat")
			c.send(`52-/chat,["x"]`)
			c.sendBinary(strings.Repeat("x", 400_000))
		},
		"behind a CONNECT": func(c *testClient) {
			c.send("0/slow,")
			receive(t, asked)
			c.send(`2/slow,["x","` + strings.Repeat("x", 400_000) + `"]`)
		},
	}
	for what, hoard := range hoards {
		chats()
		c := s.dial(t, 4, "")
		_, before := s.Engine().Stats().Received()
		hoard(c)
		eventually(t, what, func() bool {
			_, now := s.Engine().Stats().Received()
			return now >= before+400_000
		})
		for range 64 {
			s.Engine().AgeHeld()
		}
		chats()
		if bytes, conns := s.Engine().Shed(1); conns != 1 || bytes < 400_000 {
			t.Errorf("%s: %d connections with %d bytes were let go", what, conns, bytes)
		}
		c.wantClosed()
	}
	chats()
}

// Whatever a client of protocol 3 sends for a namespace that it is not in is ignored.
func TestNotJoinedProtocol3(t *testing.T) {
	s := newTestServer(t, Options{})
	s.Of("/chat")
	c := s.dial(t, 3, "")
	c.want("0")
	for _, m := range []string{`2/chat,["x"]`, `2/chat?a=b,["x"]`, `2/never,["x"]`, `3/never,1[]`, `1/never,`, `4/never,"x"`, `2/chat,`} {
		c.send(m)
	}
	c.send("0/chat\n") // typed into websocat
	c.want("0/chat,")
	c.send("1/chat,\n")
	c.send("51-/never,[\"x\"]")
	c.sendBinary("x")
	c.join("/chat")
}

// The JSON of a CONNECT is bounded, and gone when the listeners of "connection" have returned.
func TestAuthIsBounded(t *testing.T) {
	s := newTestServer(t, Options{Limits: Limits{AuthBytes: 100}})
	chat := s.Of("/chat")
	tokens := make(chan any, 2)
	token := func(sock *socket.Socket) any {
		auth, _ := sock.Handshake().Auth.(map[string]any)
		return auth["token"]
	}
	chat.Use(func(sock *socket.Socket, next func(*socket.ExtendedError)) {
		tokens <- token(sock)
		next(nil)
	})
	chat.OnConnect(func(_ context.Context, sock *socket.Socket) error {
		tokens <- token(sock)
		return nil
	})
	Handle(chat, "token", func(_ context.Context, sock *socket.Socket, _ Payload) (any, error) { return token(sock), nil })
	c := s.dial(t, 4, "")
	c.send(fmt.Sprintf(`0/chat,{"token":%q}`, strings.Repeat("x", 100)))
	c.want(`4/chat,{"message":"auth is too large: at most 100 bytes"}`)
	c.send(`0/chat,{"token":"secret"}`)
	if m := c.next(); !strings.HasPrefix(m, `0/chat,{"sid"`) {
		t.Fatalf("got %q", m)
	}
	for range 2 {
		if got := receive(t, tokens); got != "secret" {
			t.Errorf("the token is %v", got)
		}
	}
	c.send(`2/chat,1["token"]`)
	c.want(`3/chat,1[null]`)
	old := s.dial(t, 3, "")
	old.want("0")
	old.send(fmt.Sprintf(`0/chat,{"token":%q}`, strings.Repeat("x", 100)))
	old.want(`4/chat,"auth is too large: at most 100 bytes"`)
	if got := s.LimitStats().RefusedAuths; got != 2 {
		t.Errorf("counted %d", got)
	}
}

// An answer goes to the number that the event had, however long that is.
func TestLongAcknowledgementIDs(t *testing.T) {
	bothProtocols(t, func(t *testing.T, protocol int) {
		s := newTestServer(t, Options{})
		Handle(s.Of("/chat"), "echo", func(_ context.Context, _ *socket.Socket, in Payload) (Payload, error) { return in, nil })
		c := s.dialJoined(t, protocol, "/chat")
		for id, answered := range map[string]string{
			"0": "0", "007": "7", "18446744073709551615": "18446744073709551615", "18446744073709551616": "18446744073709551616",
			"00099999999999999999999999": "99999999999999999999999", " 12\n": "12", "\n": "0",
		} {
			c.send("2/chat," + id + `["echo",1]`)
			c.want("3/chat," + answered + `[1]`)
			c.send("51-/chat," + id + `["echo",{"_placeholder":true,"num":0}]`)
			c.sendBinary("x")
			c.want("61-/chat," + answered + `[{"_placeholder":true,"num":0}]`)
			if m := c.next(); m != "b:x" {
				t.Errorf("got %q", m)
			}
			c.send("3/chat," + id + `[1]`) // nobody asked
		}
	})
}

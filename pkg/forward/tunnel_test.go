package forward

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"socketio-chat/pkg/engineio"
)

// A wsClient has upgraded its session.
type wsClient struct{ *websocket.Conn }

// upgrade moves a session to a WebSocket at an instance.
func upgrade(t testing.TB, in *instance, sid string) wsClient {
	t.Helper()
	nc, res, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(in.http.URL, "http")+"/?EIO=4&transport=websocket&sid="+sid, nil)
	if err != nil {
		t.Fatalf("upgrade: %v, %+v", err, res)
	}
	t.Cleanup(func() { nc.Close() })
	c := wsClient{nc}
	c.send(t, "2probe")
	c.want(t, "3probe")
	c.send(t, "5")
	return c
}

func (c wsClient) send(t testing.TB, text string) {
	t.Helper()
	if err := c.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		t.Fatal(err)
	}
}

func (c wsClient) want(t testing.TB, text string) {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(patience))
	if _, data, err := c.ReadMessage(); err != nil || string(data) != text {
		t.Fatalf("got %.100q, %v, want %.100q", data, err, text)
	}
}

// wantEnd waits until the connection is over.
func (c wsClient) wantEnd(t testing.TB) {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(patience))
	for {
		_, _, err := c.ReadMessage()
		if late := net.Error(nil); errors.As(err, &late) && late.Timeout() {
			t.Fatal("the WebSocket did not end")
		}
		if err != nil {
			return
		}
	}
}

// wantCut waits for the end of the connection, which comes without a close frame.
func (c wsClient) wantCut(t testing.TB) {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(patience))
	if _, data, err := c.ReadMessage(); !websocket.IsCloseError(err, websocket.CloseAbnormalClosure) {
		t.Errorf("got %.100q, %v, want the end of the connection", data, err)
	}
	c.Close()
}

func TestUpgradeThroughAnotherInstance(t *testing.T) {
	list := cluster(t, 2, Options{}, engineio.Options{})
	owner, front := list[0], list[1]
	sid := owner.open(t, "EIO=4")
	v := owner.accept(t)
	do(t, "POST", front.url("EIO=4", sid), "4before")
	c := upgrade(t, front, sid)
	c.want(t, "4echo before")
	for _, n := range []int{1, 100, 300_000} {
		text := strings.Repeat("가", n)
		c.send(t, "4"+text)
		c.want(t, "4echo "+text)
	}
	blob := bytes.Repeat([]byte{0, 255}, 100_000)
	if err := c.WriteMessage(websocket.BinaryMessage, blob); err != nil {
		t.Fatal(err)
	}
	c.want(t, string(blob))
	if s := front.Stats(); s.Upgrades != 1 || s.Tunnels != 1 || v.Transport() != engineio.WebSocket {
		t.Errorf("%+v, %s", s, v.Transport())
	}
	// The client's goodbye, and the answer to it.
	if err := c.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(1000, ""), time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	_ = c.SetReadDeadline(time.Now().Add(patience))
	if _, _, err := c.ReadMessage(); !websocket.IsCloseError(err, 1000, 1005) {
		t.Errorf("answer to the close frame: %v", err)
	}
	v.wantClosed(t, "transport close")
	c.Close()
	eventually(t, "the tunnel is gone", func() bool { return front.Stats().Tunnels == 0 })
}

// Each end of a tunnel learns of the end of the other, whatever it is.
func TestTheEndsOfATunnel(t *testing.T) {
	open := func(t *testing.T, opts engineio.Options) (*visitor, wsClient) {
		list := cluster(t, 2, Options{}, opts)
		owner, front := list[0], list[1]
		t.Cleanup(func() {
			eventually(t, "no tunnel is left", func() bool { return front.Stats().Tunnels == 0 })
		})
		sid := owner.open(t, "EIO=4")
		return owner.accept(t), upgrade(t, front, sid)
	}
	t.Run("the owner closes", func(t *testing.T) {
		v, c := open(t, engineio.Options{})
		v.Close()
		_ = c.SetReadDeadline(time.Now().Add(patience))
		for {
			if _, _, err := c.ReadMessage(); err != nil {
				if !websocket.IsCloseError(err, 1005, 1000) {
					t.Errorf("no close frame: %v", err)
				}
				return
			}
		}
	})
	t.Run("the client is cut off", func(t *testing.T) {
		v, c := open(t, engineio.Options{})
		tcp := c.NetConn().(*net.TCPConn)
		_ = tcp.SetLinger(0)
		tcp.Close() // a reset
		v.wantClosed(t, "transport close")
	})
	t.Run("the client says no more", func(t *testing.T) {
		v, c := open(t, engineio.Options{})
		_ = c.NetConn().(*net.TCPConn).CloseWrite()
		v.wantClosed(t, "transport close")
		c.wantEnd(t)
	})
	t.Run("the client is dead", func(t *testing.T) {
		v, c := open(t, engineio.Options{PingInterval: 300 * time.Millisecond, PingTimeout: 200 * time.Millisecond}) // answers no ping
		v.wantClosed(t, "ping timeout")
		c.wantEnd(t)
	})
}

// An upgrade that the owner refuses is refused by the front.
func TestRefusedUpgrade(t *testing.T) {
	list := cluster(t, 2, Options{}, engineio.Options{})
	owner, front := list[0], list[1]
	sid := owner.open(t, "EIO=4")
	c := upgrade(t, owner, sid)
	header := []string{"Connection", "keep-alive, Upgrade", "Upgrade", "WebSocket", "Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}
	// Of another protocol than the session's.
	direct := do(t, "GET", owner.http.URL+"/?EIO=3&transport=websocket&sid="+sid, "", header...)
	res := do(t, "GET", front.http.URL+"/?EIO=3&transport=websocket&sid="+sid, "", header...)
	direct.header.Del("Date")
	res.header.Del("Date")
	if fmt.Sprint(res) != fmt.Sprint(direct) || res.status != 400 {
		t.Errorf("got %+v, directly %+v", res, direct)
	}
	if s := front.Stats(); s.Refused != 1 || s.Upgrades != 0 {
		t.Errorf("%+v", s)
	}
	c.send(t, "4x")
	c.want(t, "4echo x")
}

// Many clients at once, each request at another instance, the upgrade too:
// every message comes back once and in order.
func TestManyClientsWithoutStickiness(t *testing.T) {
	const clients, messages = 20, 10
	list := cluster(t, 3, Options{}, engineio.Options{})
	var all sync.WaitGroup
	for i := range clients {
		all.Go(func() {
			turn := i
			next := func() *instance { turn++; return list[turn%len(list)] }
			sid := next().open(t, "EIO=4")
			var got []string
			for n := range messages {
				if res := do(t, "POST", next().url("EIO=4", sid), fmt.Sprint("4", n)); res.body != "ok" {
					t.Errorf("post: %+v", res)
					return
				}
				res := do(t, "GET", next().url("EIO=4", sid), "")
				got = append(got, strings.Split(res.body, "\x1e")...)
			}
			for n := range messages {
				if len(got) != messages || got[n] != fmt.Sprint("4echo ", n) {
					t.Errorf("client %d polled %q", i, got)
					return
				}
			}
			if i%2 == 0 {
				c := upgrade(t, next(), sid)
				for n := range messages {
					c.send(t, fmt.Sprint("4", n))
				}
				for n := range messages {
					c.want(t, fmt.Sprint("4echo ", n))
				}
				c.Close()
			}
		})
	}
	all.Wait()
	for _, in := range list {
		if s := in.Stats(); s.UnknownOwner+s.Unreachable+s.Denied+s.Broken != 0 {
			t.Errorf("%+v", s)
		}
	}
}

package socketio

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/zishang520/socket.io/v2/socket"
)

// TestChurn connects and cuts in every rude way at once. Afterwards nothing is left, and every
// connection listener was followed by one disconnect listener.
func TestChurn(t *testing.T) {
	s := newTestServer(t, Options{})
	chat := s.Of("/chat")
	var connects, disconnects atomic.Int64
	var mu sync.Mutex
	open := map[*socket.Socket]bool{}
	chat.OnConnect(func(_ context.Context, sock *socket.Socket) error {
		connects.Add(1)
		mu.Lock()
		defer mu.Unlock()
		open[sock] = true
		sock.Join("room")
		return nil
	})
	chat.OnDisconnect(func(_ context.Context, sock *socket.Socket, _ string) {
		disconnects.Add(1)
		mu.Lock()
		defer mu.Unlock()
		if !open[sock] {
			t.Error("disconnected twice, or before it was connected")
		}
		delete(open, sock)
	})
	chat.Use(func(sock *socket.Socket, next func(*socket.ExtendedError)) {
		switch sock.Handshake().Query["how"][0] {
		case "4": // never answers
		case "5":
			go next(nil)
		default:
			next(nil)
		}
	})
	On(chat, "kick", func(_ context.Context, sock *socket.Socket, _ any) error {
		sock.Disconnect(true)
		return nil
	})

	const workers, rounds = 8, 20
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range rounds {
				how := (w + i) % 9
				c := s.dial(t, 3+i%2, fmt.Sprintf("how=%d", how))
				c.send("0/chat,")
				switch how {
				case 0: // cut at once
				case 1, 5:
					c.next()
				case 2:
					c.send("1/chat,")
				case 3:
					c.send(`2/chat,["kick"]`)
				case 6:
					c.send(`2/chat,["x"]`)
					c.send("1/chat,")
					c.send("0/chat,")
				case 7:
					c.send("2/never,[1]")
				case 8:
					chat.DisconnectSockets(i%4 == 0)
				}
				c.conn.Close()
			}
		})
	}
	wg.Wait()
	eventually(t, "all connections have ended", func() bool { return s.Engine().Len() == 0 && len(s.snapshot()) == 0 })
	defer func() {
		if !t.Failed() {
			return
		}
		for _, ns := range []*Namespace{chat, s.Of("/")} {
			t.Logf("%s: sockets %v, adapter %v", ns.Name(), ns.Sockets().Keys(), ns.local.Sids().Keys())
			ns.Sockets().Range(func(_ socket.SocketId, sock *socket.Socket) bool {
				if l := linkOf(sock); l != nil {
					t.Logf("%+v, ended %q, how %v, connected %v", l, l.conn.ended, sock.Handshake().Query["how"], sock.Connected())
				} else {
					t.Log("no link", sock.Handshake().Query["how"])
				}
				return true
			})
		}
	}()
	eventually(t, "no socket is left", func() bool {
		return chat.Sockets().Len() == 0 && chat.local.size() == 0 && s.IO().Sockets().Sockets().Len() == 0
	})
	eventually(t, "all listeners have returned", func() bool { return connects.Load() == disconnects.Load() })
	chat.local.mu.Lock()
	defer chat.local.mu.Unlock()
	if len(chat.local.members) != 0 || len(chat.local.rooms) != 0 {
		t.Errorf("left behind: %d members, %d rooms", len(chat.local.members), len(chat.local.rooms))
	}
}

package socketio

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/zishang520/socket.io/v2/socket"
)

// TestAnnouncedToThoseBefore: a second client joins while the hook of the first one runs. The first hears of
// both, the second of itself alone, also when it is recovered.
func TestAnnouncedToThoseBefore(t *testing.T) {
	for _, o := range []Options{{}, recovering(Options{})} {
		t.Run(fmt.Sprint("recovery ", o.Recovery.For), func(t *testing.T) {
			s := newTestServer(t, o)
			ns := s.Of("/chat")
			entered, first := make(chan struct{}), make(chan struct{})
			var joined atomic.Int64
			ns.OnConnect(func(ctx context.Context, sock *socket.Socket) error {
				n := joined.Add(1)
				if n == 1 {
					close(entered)
					<-first
				}
				if !sock.Recovered() {
					ns.Announce(ctx, "joined", n)
				}
				return nil
			})
			if o.Recovery.For == 0 {
				a := s.dialJoined(t, 4, "/chat")
				receive(t, entered)
				b := s.dialJoined(t, 4, "/chat")
				b.want(`2/chat,["joined",2]`)
				a.want(`2/chat,["joined",2]`)
				close(first)
				a.want(`2/chat,["joined",1]`)
				ns.Broadcast("end")
				a.want(`2/chat,["end"]`)
				b.want(`2/chat,["end"]`)
				return
			}
			a := s.newComer(t, "/chat")
			receive(t, entered)
			b := s.newComer(t, "/chat")
			a.wantEvents(`["joined",2]`)
			b.wantEvents(`["joined",2]`)
			b.cut()
			close(first)
			a.wantEvents(`["joined",1]`)
			a.cut()
			ns.Broadcast("end")
			for _, c := range []*comer{a, b} {
				if !c.connect(t, s) {
					t.Fatal("not recovered")
				}
				c.wantEvents(`["end"]`)
				c.wantNothing()
			}
		})
	}
}

// TestJoinStorm: n clients that join at once hear n(n+1)/2 announcements.
func TestJoinStorm(t *testing.T) {
	s := newTestServer(t, Options{})
	ns := s.Of("/chat")
	var told atomic.Int64
	ns.OnConnect(func(ctx context.Context, _ *socket.Socket) error { ns.Announce(ctx, "joined"); told.Add(1); return nil })
	const n = 80
	clients := make([]*testClient, n)
	for i := range clients {
		clients[i] = s.dial(t, 4, "")
	}
	var wg sync.WaitGroup
	for _, c := range clients {
		wg.Go(func() { c.send("0/chat,") })
	}
	wg.Wait()
	heard := 0
	eventually(t, "all have been announced", func() bool { return told.Load() == n })
	ns.Broadcast("end")
	for _, c := range clients {
		for m := c.next(); m != `2/chat,["end"]`; m = c.next() {
			if m == `2/chat,["joined"]` {
				heard++
			}
		}
	}
	if heard != n*(n+1)/2 {
		t.Errorf("%d announcements, want %d", heard, n*(n+1)/2)
	}
}

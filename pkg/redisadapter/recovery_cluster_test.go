package redisadapter

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/gobwas/ws"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/redisadapter/internal/classic"
	"socketio-chat/pkg/redisadapter/internal/wire"
)

// TestRecoveryAfterAnOrderlyEnd: an instance ends; its clients recover elsewhere, whether they left
// before it was told to or because of it.
func TestRecoveryAfterAnOrderlyEnd(t *testing.T) {
	eachMode(t, func(t *testing.T, mode Mode) {
		list := newRecoveringCluster(t, startRedis(t), mode, "alpha", "beta")
		alpha, beta := list[0], list[1]
		before, until := alpha.newComer("left before"), alpha.newComer("stayed until the end")
		alpha.socket(before.client).Join("blue")
		beta.chat.Broadcast("a")
		before.wantEvents(`["a"]`)
		until.wantEvents(`["a"]`)
		beta.chat.Broadcast("b")
		settled(list)
		until.wantEvents(`["b"]`)
		sid := before.id
		before.conn.Close()
		eventually(t, "gone", func() bool { return alpha.RecoveryStats().Parked == 1 })
		_ = beta.chat.To("blue").Emit("blue")
		settled(list)
		_ = alpha.chat.Local().To("blue").Emit("only here")
		settled(list)
		closed := make(chan struct{})
		go func() { // answers the close frame
			defer close(closed)
			until.drain()
		}()
		alpha.end()
		<-closed
		until.conn.Close()
		if n := alpha.RecoveryStats().Stored; n != 2 {
			t.Errorf("%d sessions stored", n)
		}
		beta.chat.Broadcast("c")
		for c, want := range map[*comer][]string{
			before: {`["b"]`, `["blue"]`, `["only here"]`, `["c"]`},
			until:  {`["c"]`},
		} {
			if !c.comeTo(beta, c.name) {
				t.Fatalf("%s: not recovered; %+v", c.name, beta.RecoveryStats())
			}
			c.wantEvents(want...)
		}
		if before.id != sid || !beta.socket(before.client).Rooms().Has("blue") {
			t.Error("other ids or rooms than before")
		}
		beta.chat.Broadcast("d")
		before.wantEvents(`["d"]`)
		until.wantEvents(`["d"]`)
	})
}

// TestRecoveryAcrossARollingRestart: what instances said that are gone does not keep clients from moving
// between those that came after them and those that were there before.
func TestRecoveryAcrossARollingRestart(t *testing.T) {
	eachMode(t, func(t *testing.T, mode Mode) {
		r := startRedis(t)
		list := newRecoveringCluster(t, r, mode, "alpha", "beta")
		alpha, beta := list[0], list[1]
		alpha.chat.Broadcast("long ago")
		beta.chat.Broadcast("long ago, too")
		settled(list)
		alpha.end()
		gamma := newRecovering(t, r, mode, "gamma")
		gamma.joined()
		eventually(t, "gamma is seen", func() bool { return beta.builder.Status().Servers == 2 && gamma.builder.Status().Servers == 2 })
		c := gamma.newComer("c")
		gamma.chat.Broadcast("a")
		c.wantEvents(`["a"]`)
		for n, next := range []*instance{beta, gamma, beta} {
			c.conn.Close()
			gamma.chat.Broadcast("missed", n)
			arrived(gamma, beta)
			if !c.comeTo(next, "c") {
				t.Fatalf("not recovered on %s: %+v", next.name, next.RecoveryStats())
			}
			c.wantEvents(fmt.Sprintf(`["missed",%d]`, n))
		}
		// And from what gamma leaves behind.
		c.comeTo(gamma, "c")
		c.conn.Close()
		eventually(t, "gone", func() bool { return gamma.RecoveryStats().Sessions == 1 })
		gamma.chat.Broadcast("last")
		arrived(gamma, beta)
		gamma.end()
		eventually(t, "beta knows that gamma is gone", func() bool { return beta.builder.Status().Servers == 1 })
		if !c.comeTo(beta, "c") {
			t.Fatalf("not recovered from a dump: %+v", beta.RecoveryStats())
		}
		c.wantEvents(`["last"]`)
	})
}

// TestRecoveryAfterAGap: a client that got something after the subscription was lost for a while is
// recovered, one that got its last event before is not.
func TestRecoveryAfterAGap(t *testing.T) {
	for _, mode := range []Mode{PubSub, Sharded} {
		t.Run(string(mode), func(t *testing.T) {
			r := startRedis(t)
			list := newRecoveringCluster(t, r, mode, "alpha", "beta")
			alpha, beta := list[0], list[1]
			early, late := alpha.newComer("early"), alpha.newComer("late")
			beta.chat.Broadcast("before")
			early.wantEvents(`["before"]`)
			late.wantEvents(`["before"]`)
			early.conn.Close()
			r.do("CLIENT", "KILL", "TYPE", "pubsub")
			for _, i := range list {
				i.lost()
				i.joined()
			}
			beta.chat.Broadcast("after")
			late.wantEvents(`["after"]`)
			settled(list)
			late.conn.Close()
			beta.chat.Broadcast("missed")
			settled(list)
			if !late.comeTo(beta, "late") {
				t.Errorf("late: not recovered: %+v", beta.RecoveryStats())
			}
			late.wantEvents(`["missed"]`)
			if early.comeTo(alpha, "early") {
				t.Error("early: recovered although something may be missing")
			}
		})
	}
}

// TestRecoveryWithoutAGap: a publisher's connection that was lost is no reason to refuse anybody.
func TestRecoveryWithoutAGap(t *testing.T) {
	eachMode(t, func(t *testing.T, mode Mode) {
		r := startRedis(t)
		list := newRecoveringCluster(t, r, mode, "alpha", "beta")
		alpha, beta := list[0], list[1]
		c := alpha.newComer("c")
		beta.chat.Broadcast("a")
		c.wantEvents(`["a"]`)
		c.conn.Close()
		r.do("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
		for _, i := range list {
			i.lost()
			i.joined()
		}
		beta.chat.Broadcast("missed")
		settled(list)
		if !c.comeTo(alpha, "c") {
			t.Fatalf("not recovered: %+v", alpha.RecoveryStats())
		}
		c.wantEvents(`["missed"]`)
	})
}

// drain reads until the connection ends.
func (c *client) drain() {
	for {
		frame, err := ws.ReadFrame(c.r)
		if err != nil {
			return
		}
		if frame.Header.OpCode == ws.OpClose {
			c.conn.Close()
			return
		}
	}
}

func TestNumberedBroadcasts(t *testing.T) {
	c := wire.NewCodec(1<<20, 255)
	opts := &socket.BroadcastOptions{Flags: &socket.BroadcastFlags{}}
	for _, data := range []string{`["x"]`, `["x",1e400,"\ud800"]`, `["x",` + strings.Repeat("[", 600) + strings.Repeat("]", 600) + `]`} {
		m, _, err := classic.EncodeBroadcast(c, "me", "/chat", raw("%s", data), opts)
		if err != nil {
			t.Fatal(err)
		}
		for _, number := range []uint64{1, 300, 1<<64 - 1} {
			b := classic.Numbered(m, number)
			msg, err := classic.DecodeBroadcast(c, b, "you", "/chat", nil)
			if err != nil || string(msg.Data.JSON) != data || msg.From != "me" || msg.Number != number {
				t.Errorf("%.20s with number %d: %q, %d: %.40s, %v", data, number, msg.From, msg.Number, msg.Data.JSON, err)
			}
		}
	}
}

// dial opens a connection.
func (i *instance) dial(name string) *client {
	i.tb.Helper()
	url := "ws" + strings.TrimPrefix(i.http.URL, "http") + "/socket.io/?EIO=4&transport=websocket"
	conn, br, _, err := ws.Dial(context.Background(), url)
	if err != nil {
		i.tb.Fatalf("dial %s: %v", i.name, err)
	}
	i.tb.Cleanup(func() { conn.Close() })
	c := &client{tb: i.tb, name: name, conn: conn, r: conn}
	if br != nil { // packets came with the response
		c.r = io.MultiReader(io.LimitReader(br, int64(br.Buffered())), conn)
	}
	if open := c.read(); open[0] != '0' {
		i.tb.Fatalf("first packet is %q", open)
	}
	return c
}

package redisadapter

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/redisadapter/internal/classic"
	"socketio-chat/pkg/redisadapter/internal/wire"
	"socketio-chat/pkg/socketio"
)

// newRecovering starts an instance with connection state recovery.
func newRecovering(tb testing.TB, r *testRedis, mode Mode, name string) *instance {
	tb.Helper()
	i := &instance{tb: tb, name: name, changes: make(chan Status, 100)}
	log := slog.New(slog.NewTextHandler(testLog{tb, name}, nil))
	i.builder = &Builder{
		Redis: r.types(tb), Mode: mode, Heartbeat: 50 * time.Millisecond, OnChange: func(s Status) { i.changes <- s }, Logger: log,
	}
	i.Server = socketio.NewServer(socketio.Options{Adapter: i.builder, Recovery: socketio.Recovery{For: time.Minute, Wait: 5 * time.Second}, Logger: log})
	i.chat = i.Of("/chat")
	i.http = httptest.NewServer(i.Server)
	tb.Cleanup(func() { i.end(); i.http.Close() })
	return i
}

// end ends an instance in order.
func (i *instance) end() {
	ctx, cancel := context.WithTimeout(context.Background(), testPatience)
	defer cancel()
	if err := i.Server.Close(ctx); err != nil {
		i.tb.Errorf("close the server of %s: %v", i.name, err)
	}
	if err := i.builder.Close(ctx); err != nil {
		i.tb.Errorf("close the adapter of %s: %v", i.name, err)
	}
}

func newRecoveringCluster(tb testing.TB, r *testRedis, mode Mode, names ...string) []*instance {
	tb.Helper()
	var list []*instance
	for _, name := range names {
		list = append(list, newRecovering(tb, r, mode, name))
	}
	for _, i := range list {
		i.joined()
		eventually(tb, i.name+" sees all", func() bool { return i.builder.Status().Servers >= len(names) })
	}
	return list
}

// A comer is a client of socket.io 4.6: it comes back with pid and offset.
type comer struct {
	*client
	pid, offset string
}

func (i *instance) newComer(name string) *comer {
	i.tb.Helper()
	c := &comer{}
	c.comeTo(i, name)
	return c
}

// comeTo connects to an instance and reports whether the session was recovered.
func (c *comer) comeTo(i *instance, name string) bool {
	i.tb.Helper()
	auth := map[string]string{}
	if c.pid != "" {
		auth["pid"] = c.pid
	}
	if c.offset != "" {
		auth["offset"] = c.offset
	}
	b, _ := json.Marshal(auth)
	c.client = i.dial(name)
	c.write("40/chat," + string(b))
	var answer struct{ Sid, Pid string }
	m := c.read()
	if json.Unmarshal([]byte(strings.TrimPrefix(m, "40/chat,")), &answer) != nil || answer.Pid == "" {
		i.tb.Fatalf("%s: CONNECT is answered by %q", name, m)
	}
	recovered := answer.Pid == c.pid
	c.pid, c.id = answer.Pid, answer.Sid
	return recovered
}

// hear returns the next event without its offset.
func (c *comer) hear() string {
	c.tb.Helper()
	m, ok := strings.CutPrefix(c.read(), "42/chat,")
	i := strings.LastIndex(m, `,"`)
	if !ok || i < 0 {
		c.tb.Fatalf("%s: got %q, want an event with its offset", c.name, m)
	}
	c.offset = strings.TrimSuffix(m[i+2:], `"]`)
	return m[:i] + "]"
}

func (c *comer) wantEvents(events ...string) {
	c.tb.Helper()
	for _, want := range events {
		if got := c.hear(); got != want {
			c.tb.Fatalf("%s: got %.200s, want %.200s", c.name, got, want)
		}
	}
}

// settled returns when whatever an instance has broadcast has come to the others.
func settled(list []*instance) {
	for _, from := range list {
		for _, to := range list {
			arrived(from, to)
		}
	}
}

func arrived(from, to *instance) {
	to.tb.Helper()
	_, origin, n := from.adapter().Kept()
	eventually(to.tb, "all of "+from.name+" is at "+to.name, func() bool {
		kept, _, _ := to.adapter().Kept()
		return kept[origin][1] == n
	})
}

func TestRecoveryOnAnotherInstance(t *testing.T) {
	eachMode(t, func(t *testing.T, mode Mode) {
		list := newRecoveringCluster(t, startRedis(t), mode, "alpha", "beta", "gamma")
		alpha, beta, gamma := list[0], list[1], list[2]
		c := alpha.newComer("c")
		sock := alpha.socket(c.client)
		sock.SetData(map[string]any{"name": "kim"})
		sock.Join("blue")
		gamma.chat.Broadcast("first")
		c.wantEvents(`["first"]`)
		sid := c.id
		gamma.chat.Broadcast("unread", raw(`{"b":1,"a":2}`))
		settled(list)
		c.conn.Close()
		alpha.chat.Broadcast("from alpha")
		_ = alpha.chat.To("blue").Emit("blue")
		_ = gamma.chat.To("red").Emit("red")
		_ = gamma.chat.To(socket.Room(sid)).Emit("direct")
		settled(list) // the order is alpha's
		_ = alpha.chat.Local().Emit("local")
		alpha.chat.Broadcast("bin", []byte("1"))
		settled(list)
		if !c.comeTo(beta, "c") {
			t.Fatal("not recovered on another instance")
		}
		if c.id != sid {
			t.Errorf("sid %s, was %s", c.id, sid)
		}
		got := map[string]bool{}
		c.wantEvents(`["unread",{"b":1,"a":2}]`)
		for len(got) < 4 { // two senders: the order of alpha
			got[c.hear()] = true
		}
		for _, want := range []string{`["from alpha"]`, `["blue"]`, `["direct"]`, `["local"]`} {
			if !got[want] {
				t.Errorf("%s is missing: %v", want, got)
			}
		}
		if m := c.read(); !strings.HasPrefix(m, `451-/chat,["bin",`) {
			t.Errorf("got %q", m)
		} else {
			c.offset = m[strings.LastIndex(m, `,"`)+2 : len(m)-2]
		}
		if m := c.read(); m != "b:1" {
			t.Errorf("got %q", m)
		}
		moved := beta.socket(c.client)
		if !moved.Recovered() || !moved.Rooms().Has("blue") || fmt.Sprint(moved.Data()) != "map[name:kim]" {
			t.Errorf("recovered %v, in %v, with %v", moved.Recovered(), moved.Rooms().Keys(), moved.Data())
		}
		if n := alpha.chat.Sockets().Len(); n != 0 {
			t.Errorf("alpha has %d sockets", n)
		}
		_ = gamma.chat.To("blue").Emit("live")
		c.wantEvents(`["live"]`)

		// On, without the server having noticed; and back.
		for _, next := range []*instance{gamma, alpha} {
			alpha.chat.Broadcast("meanwhile")
			settled(list)
			if !c.comeTo(next, "c") {
				t.Fatalf("not recovered on %s", next.name)
			}
			c.wantEvents(`["meanwhile"]`)
		}
		beta.chat.Broadcast("end")
		c.wantEvents(`["end"]`)
		// A second client with the same private id gets nothing of it.
		c.pid = "nobody's"
		if c.comeTo(beta, "c") {
			t.Error("recovered from nothing")
		}
		if st := beta.RecoveryStats(); st.RecoveredRemote != 1 || st.Refused[socketio.RefusedUnknown] != 1 {
			t.Errorf("beta: %+v", st)
		}
	})
}

// TestRecoveryUnderFire: clients wander from instance to instance while all of them broadcast. Each
// hears each sender's messages, once and in order.
func TestRecoveryUnderFire(t *testing.T) {
	eachMode(t, func(t *testing.T, mode Mode) {
		list := newRecoveringCluster(t, startRedis(t), mode, "alpha", "beta", "gamma")
		const each = 150
		var sending, listening sync.WaitGroup
		var clients []*comer
		for n := range 4 {
			clients = append(clients, list[n%3].newComer(fmt.Sprint("client ", n)))
		}
		for n, c := range clients {
			listening.Go(func() {
				heard := map[string]int{}
				for total, at := 0, n; total < each*len(list); total++ {
					if total%(13+n) == 12 {
						if n%2 == 0 {
							c.conn.Close()
						}
						at++
						if to := list[at%3]; !c.comeTo(to, c.name) {
							t.Errorf("%s was not recovered on %s: %+v", c.name, to.name, to.RecoveryStats())
							return
						}
					}
					m := c.hear()
					from, k, _ := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(m, `["`), "]"), `",`)
					if k != fmt.Sprint(heard[from]) {
						t.Errorf("%s got %s, want number %d", c.name, m, heard[from])
						return
					}
					heard[from]++
				}
			})
		}
		for _, i := range list {
			sending.Go(func() {
				for n := range each {
					i.chat.Broadcast(i.name, n)
					if n%10 == 0 {
						time.Sleep(time.Millisecond) // so that it lasts as long as the wandering
					}
				}
			})
		}
		sending.Wait()
		listening.Wait()
	})
}

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
		b := make([]byte, 1024)
		n, err := c.r.Read(b)
		if err != nil {
			return
		}
		if n > 0 && b[0] == 0x88 { // close
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

package redisadapter

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/zishang520/socket.io/v2/socket"

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
	return together(list)
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
		if got := beta.adapter().ForeignOwners(); len(got) != 1 || got[0] != c.pid[:len(got[0])] {
			t.Errorf("beta has sessions of %q", got)
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
		for _, i := range list { // or one may be refused that comes from where a sender was not heard yet
			i.chat.Broadcast("before")
		}
		settled(list)
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

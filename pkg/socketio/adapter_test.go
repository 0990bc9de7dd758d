package socketio

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/zishang520/engine.io/v2/events"
	"github.com/zishang520/engine.io/v2/types"
	"github.com/zishang520/socket.io-go-parser/v2/parser"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/engineio"
)

// countingBatch is a batch that sends nothing.
type countingBatch struct{ sent, flushed int }

func (b *countingBatch) Send(*engineio.Conn, ...*engineio.Frame) bool { b.sent++; return true }
func (b *countingBatch) Flush()                                       { b.flushed++ }

// crowd is a namespace with n joined sockets that nobody is behind. The first half is in "half".
func crowd(tb testing.TB, n int) (*Namespace, *countingBatch) {
	tb.Helper()
	ns := NewServer(Options{}).Of("/chat")
	b := new(countingBatch)
	ns.local.adopt(func() batch { return b })
	for i := range n {
		l := &link{conn: new(conn), eio: new(engineio.Conn), name: "/chat"}
		id := socket.SocketId(fmt.Sprint("socket", i))
		ns.local.register(l, id, noOffset)
		l.member.index = i
		ns.local.members = append(ns.local.members, l)
		rooms := types.NewSet(socket.Room(id), "all")
		if i < n/2 {
			rooms.Add("half")
		}
		ns.local.AddAll(id, rooms)
	}
	return ns, b
}

// TestBroadcastAllocations pins that a broadcast allocates nothing for a receiver.
func TestBroadcastAllocations(t *testing.T) {
	broadcasts := map[string]func(*Namespace){
		"namespace": func(ns *Namespace) { ns.Broadcast("msgToClient", raw(`{"name":"a","text":"b"}`)) },
		"emit":      func(ns *Namespace) { _ = ns.Emit("msgToClient", raw(`{"name":"a","text":"b"}`)) },
		"rooms": func(ns *Namespace) {
			_ = ns.To("all", "half").Except("socket1").Emit("msgToClient", raw(`{"name":"a","text":"b"}`))
		},
		"encoded": func(ns *Namespace) { ns.local.BroadcastEncoded(Encoded{Data: raw(`["x",1]`)}, nil) },
	}
	for name, f := range broadcasts {
		var allocs [2]float64
		for i, n := range []int{10, 1000} {
			ns, b := crowd(t, n)
			allocs[i] = testing.AllocsPerRun(100, func() { f(ns) })
			if want := 101 * n; name != "rooms" && b.sent != want {
				t.Errorf("%s: sent %d, want %d", name, b.sent, want)
			} else if want := 101 * (n - 1); name == "rooms" && b.sent != want {
				t.Errorf("%s: sent %d, want %d", name, b.sent, want)
			}
		}
		if allocs[1] > allocs[0] {
			t.Errorf("%s: %v allocations for 10 receivers, %v for 1000", name, allocs[0], allocs[1])
		}
		t.Logf("%s: %v allocations", name, allocs[1])
	}
}

func BenchmarkBroadcast(b *testing.B) {
	for _, n := range []int{10, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			ns, _ := crowd(b, n)
			b.ReportAllocs()
			for b.Loop() {
				ns.Broadcast("msgToClient", raw(`{"name":"alice","text":"hello, how are you?"}`))
			}
		})
	}
}

// TestAdapterAsLibrary does the same at random to our adapter and to the library's own, and
// compares what they say and emit.
func TestAdapterAsLibrary(t *testing.T) {
	s := newTestServer(t, Options{})
	chat := s.Of("/chat")
	const clients = 5
	var ids []socket.SocketId
	for range clients {
		_, sock := joinedSocket(t, s, 4)
		ids = append(ids, sock.Id())
	}
	ours, theirs := chat.local, socket.NewAdapter(chat.Namespace)
	for _, id := range ids { // where they are already
		theirs.AddAll(id, types.NewSet(socket.Room(id)))
	}
	record := func(a socket.Adapter, log *[]string) {
		for _, event := range []events.EventName{"create-room", "delete-room", "join-room", "leave-room"} {
			if err := a.On(event, func(args ...any) { *log = append(*log, fmt.Sprint(event, args)) }); err != nil {
				t.Fatal(err)
			}
		}
	}
	var ourLog, theirLog []string
	record(ours, &ourLog)
	record(theirs, &theirLog)

	rooms := []socket.Room{"a", "b", "c", socket.Room(ids[0]), socket.Room(ids[1])}
	rng := rand.New(rand.NewPCG(1, 2))
	for step := range 2000 {
		id, room := ids[rng.IntN(clients)], rooms[rng.IntN(len(rooms))]
		if theirs.SocketRooms(id).Has(room) == (rng.IntN(4) == 0) {
			// The library emits leave-room for rooms that a socket is not in; Node does not.
			for _, a := range []socket.Adapter{ours, theirs} {
				if theirs == a && !inRoom(theirs, room, id) {
					continue
				}
				a.Del(id, room)
			}
		} else {
			for _, a := range []socket.Adapter{ours, theirs} {
				a.AddAll(id, types.NewSet(room))
			}
		}
		if want, got := strings.Join(theirLog, " "), strings.Join(ourLog, " "); got != want {
			t.Fatalf("step %d: events\n%s\nwant\n%s", step, got, want)
		}
		ourLog, theirLog = nil, nil
		if want, got := describe(theirs, rooms), describe(ours, rooms); got != want {
			t.Fatalf("step %d: ours\n%s\ntheirs\n%s", step, got, want)
		}
	}
	for _, a := range []socket.Adapter{ours, theirs} { // it will not leave its own room again
		if own := socket.Room(ids[0]); inRoom(a, own, ids[0]) {
			a.Del(ids[0], own)
		}
	}
	for _, id := range ids {
		ours.DelAll(id)
		theirs.DelAll(id)
	}
	slices.Sort(ourLog) // DelAll goes through the rooms in an order of its own
	slices.Sort(theirLog)
	if !slices.Equal(ourLog, theirLog) {
		t.Errorf("at the end: events\n%s\nwant\n%s", ourLog, theirLog)
	}
	if len(ours.rooms) != 0 || len(ours.members) != 0 || len(ours.byID) != 0 {
		t.Error("something is left")
	}
}

func inRoom(a socket.Adapter, room socket.Room, id socket.SocketId) bool {
	set, ok := a.Rooms().Load(room)
	return ok && set.Has(id)
}

func describe(a socket.Adapter, rooms []socket.Room) string {
	var b strings.Builder
	show := func(what string, list []string) {
		slices.Sort(list)
		fmt.Fprintln(&b, what, list)
	}
	var list []string
	a.Rooms().Range(func(room socket.Room, ids *types.Set[socket.SocketId]) bool {
		list = append(list, fmt.Sprint(room, "=", sorted(ids)))
		return true
	})
	show("rooms", list)
	list = nil
	a.Sids().Range(func(id socket.SocketId, rooms *types.Set[socket.Room]) bool {
		list = append(list, fmt.Sprint(id, "=", sorted(rooms), "=", sorted(a.SocketRooms(id))))
		return true
	})
	show("sids", list)
	for _, r := range rooms {
		fmt.Fprintln(&b, "sockets", r, sorted(a.Sockets(types.NewSet(r))), sorted(a.Sockets(types.NewSet(r, "a"))))
	}
	fmt.Fprintln(&b, "all", sorted(a.Sockets(nil)))
	return b.String()
}

func sorted[T cmp.Ordered](s *types.Set[T]) []T {
	keys := s.Keys()
	slices.Sort(keys)
	return keys
}

// TestSameOrderForAll: however many broadcast at the same time, all receivers see one order.
func TestSameOrderForAll(t *testing.T) {
	s := newTestServer(t, Options{})
	chat := s.Of("/chat")
	var clients []*testClient
	for range 4 {
		c, _ := joinedSocket(t, s, 4)
		clients = append(clients, c)
	}
	const senders, each = 4, 100
	var wg sync.WaitGroup
	for w := range senders {
		wg.Go(func() {
			for i := range each {
				chat.Broadcast("x", w, i)
			}
		})
	}
	wg.Wait()
	for range senders * each {
		first := clients[0].next()
		for _, c := range clients[1:] {
			c.want(first)
		}
	}
}

// TestNothingBeforeConnect: a socket hears nothing of its namespace before it is told that it is in
// it, nor after it is told that it is out.
func TestNothingBeforeConnect(t *testing.T) {
	s := newTestServer(t, Options{})
	chat := s.Of("/chat")
	On(chat, "kick", func(_ context.Context, sock *socket.Socket, _ any) error {
		sock.Disconnect(false)
		return nil
	})
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
				chat.Broadcast("noise")
			}
		}
	}()
	for range 50 {
		c := s.dial(t, 4, "")
		c.send("0/chat,")
		if m := c.next(); !strings.HasPrefix(m, "0/chat,{") {
			t.Fatalf("first came %q", m)
		}
		c.send(`2/chat,["kick"]`)
		for m := c.next(); m != "1/chat,"; m = c.next() {
			if m != `2/chat,["noise"]` {
				t.Fatalf("got %q", m)
			}
		}
		c.send("0/nope,")
		if m := c.next(); !strings.HasPrefix(m, "4/nope,") {
			t.Fatalf("after the end came %q", m)
		}
		c.conn.Close()
	}
	close(stop)
	<-done
}

func packetOf(event string, args ...any) *parser.Packet {
	return &parser.Packet{Type: parser.EVENT, Data: append([]any{event}, args...)}
}

// libraryAdapters builds the library's own adapters.
type libraryAdapters struct{}

func (libraryAdapters) New(nsp socket.Namespace) socket.Adapter { return socket.NewAdapter(nsp) }

// embedding is how other adapters are built.
type embedding struct{ *LocalAdapter }

func (a embedding) ServerCount() int64 { return 7 }

type embeddingBuilder struct{}

func (embeddingBuilder) New(nsp socket.Namespace) socket.Adapter {
	a := embedding{NewLocalAdapter()}
	a.Prototype(a)
	a.Construct(nsp)
	return a
}

// TestOtherAdapters: an adapter that embeds ours has its fast path, one of another kind works too.
func TestOtherAdapters(t *testing.T) {
	for name, b := range map[string]AdapterBuilder{"library": libraryAdapters{}, "embedding": embeddingBuilder{}} {
		t.Run(name, func(t *testing.T) {
			s := newTestServer(t, Options{Adapter: b})
			chat := s.Of("/chat")
			if name == "embedding" && (chat.local == nil || chat.Adapter().Proto().ServerCount() != 7) {
				t.Error("the embedded adapter is not found")
			}
			alice, sock := joinedSocket(t, s, 3)
			bob, _ := joinedSocket(t, s, 4)
			chat.Broadcast("x", []byte("A"))
			for _, c := range []*testClient{alice, bob} {
				c.want(`51-/chat,["x",`+ph0+`]`, "b:A")
			}
			if err := sock.Broadcast().Emit("y"); err != nil {
				t.Error(err)
			}
			bob.want(`2/chat,["y"]`)
			sock.Disconnect(false)
			alice.want("1/chat,")
			alice.conn.Close()
			bob.send("1/chat,")
			eventually(t, "both have left", func() bool { return chat.Sockets().Len() == 0 })
		})
	}
}

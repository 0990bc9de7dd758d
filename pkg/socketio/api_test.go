package socketio_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/socketio"
	"socketio-chat/pkg/socketio/sockettest"
)

func newServer(t testing.TB) *socketio.Server {
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

// joined connects a client and returns the server's socket of it, too.
func joined(t testing.TB, io *socketio.Server, ns *socketio.Namespace) (*sockettest.Client, *socket.Socket) {
	t.Helper()
	c := sockettest.Connect(t, io, ns.Name())
	s, ok := ns.Sockets().Load(socket.SocketId(c.ID))
	if !ok {
		t.Fatalf("the server has no socket %s", c.ID)
	}
	return c, s
}

func withTimeout(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), sockettest.Patience)
	t.Cleanup(cancel)
	return ctx
}

func TestCallDecodesTheAcknowledgement(t *testing.T) {
	type point struct{ X, Y int }
	io := newServer(t)
	c, s := joined(t, io, io.Of("/"))
	for _, row := range []struct {
		answer []any
		want   any
		call   func(ctx context.Context) (any, error)
	}{
		{[]any{point{1, 2}}, point{1, 2}, func(ctx context.Context) (any, error) { return socketio.Call[point](ctx, s, "where") }},
		{[]any{3, 4}, [2]int{3, 4}, func(ctx context.Context) (any, error) { return socketio.Call[[2]int](ctx, s, "where") }},
		{nil, (*int)(nil), func(ctx context.Context) (any, error) { return socketio.Call[*int](ctx, s, "where") }},
		{[]any{[]byte("raw")}, "raw", func(ctx context.Context) (any, error) {
			b, err := socketio.Call[[]byte](ctx, s, "where")
			return string(b), err
		}},
	} {
		go func() { c.Expect("where").Acknowledge(row.answer...) }()
		if got, err := row.call(withTimeout(t)); err != nil || got != row.want {
			t.Errorf("acknowledged with %v: got %v, %v", row.answer, got, err)
		}
	}
	go func() { c.Expect("where").Acknowledge("not a point") }()
	if _, err := socketio.Call[point](withTimeout(t), s, "where"); err == nil {
		t.Error("an answer of another type is no error")
	}
}

func TestCallEnds(t *testing.T) {
	io := newServer(t)
	ns := io.Of("/")
	c, s := joined(t, io, ns)

	ctx, cancel := context.WithCancel(t.Context())
	go func() { c.Expect("q"); cancel() }()
	if _, err := socketio.Call[int](ctx, s, "q"); !errors.Is(err, context.Canceled) {
		t.Errorf("with its context cancelled the call returned %v", err)
	}
	go func() { c.Expect("q"); c.Disconnect() }()
	if _, err := socketio.Call[int](withTimeout(t), s, "q"); !errors.Is(err, socketio.ErrDisconnected) {
		t.Errorf("without its client the call returned %v", err)
	}
	if _, err := socketio.Call[int](withTimeout(t), s, "q"); !errors.Is(err, socketio.ErrDisconnected) {
		t.Errorf("a call of a client that is gone returned %v", err)
	}
	if _, err := socketio.Call[int](withTimeout(t), s, "disconnect"); err == nil {
		t.Error("a reserved name is no error")
	}
}

func TestTarget(t *testing.T) {
	io := newServer(t)
	ns := io.Of("/game")
	a, sa := joined(t, io, ns)
	b, sb := joined(t, io, ns)
	c, _ := joined(t, io, ns)
	sa.Join("red", "captains")
	sb.Join("red")

	broadcast := func(target socketio.Target, text string) {
		t.Helper()
		if err := target.Broadcast("say", text); err != nil {
			t.Fatal(err)
		}
	}
	all := ns.Everybody()
	broadcast(all.In("red"), "red")
	broadcast(all.In("red").Except("captains"), "red crew")
	broadcast(all.ExceptSocket(sb), "not b")
	broadcast(all.In("captains", "red").Local(), "once")
	broadcast(all, "end")
	for client, want := range map[*sockettest.Client][]string{
		a: {"red", "not b", "once", "end"}, b: {"red", "red crew", "once", "end"}, c: {"not b", "end"},
	} {
		for _, text := range want {
			var got string
			if client.Expect("say", &got); got != text {
				t.Errorf("got %q, want %q", got, text)
			}
		}
	}

	all.In("red").Join("late")
	all.In("captains").Leave("late")
	found, err := all.In("late").Sockets(withTimeout(t))
	if err != nil || len(found) != 1 || found[0].Id() != sb.Id() {
		t.Errorf("sockets in late: %v, %v", found, err)
	}
	all.In("late").Disconnect(false)
	b.ExpectDisconnect()
	if err := all.Broadcast("connect"); err == nil {
		t.Error("a reserved name is no error")
	}
	if err := all.Broadcast("say", func() {}); err == nil {
		t.Error("a function is no error")
	}
	if all.In("red"); len(mustSockets(t, all)) != 2 {
		t.Error("narrowing a target changed the one it came from")
	}
}

func mustSockets(t *testing.T, target socketio.Target) []*socket.RemoteSocket {
	t.Helper()
	found, err := target.Sockets(withTimeout(t))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestCallAll(t *testing.T) {
	io := newServer(t)
	ns := io.Of("/")
	var clients []*sockettest.Client
	for range 3 {
		c, _ := joined(t, io, ns)
		clients = append(clients, c)
	}
	answer := func(i int, args ...any) { go func() { clients[i].Expect("vote").Acknowledge(args...) }() }

	answer(0, "yes")
	answer(1, "no")
	answer(2, "yes")
	votes, err := socketio.CallAll[string](withTimeout(t), ns.Everybody(), "vote")
	slices.Sort(votes)
	if err != nil || strings.Join(votes, " ") != "no yes yes" {
		t.Errorf("votes %v, %v", votes, err)
	}

	// One response a client, whatever it carries.
	answer(0)
	answer(1, 1, 2)
	answer(2, nil)
	raw, err := socketio.CallAll[socketio.Payload](withTimeout(t), ns.Everybody(), "vote")
	var texts []string
	for _, p := range raw {
		texts = append(texts, string(p.JSON))
	}
	slices.Sort(texts)
	if err != nil || strings.Join(texts, " ") != "1 null null" { // the first argument, as in Node
		t.Errorf("answers %v, %v", texts, err)
	}

	// A client that does not answer costs the others nothing but time.
	answer(0, "yes")
	answer(1, "yes")
	go func() { clients[2].Expect("vote") }()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if votes, err = socketio.CallAll[string](ctx, ns.Everybody(), "vote"); !errors.Is(err, context.DeadlineExceeded) || len(votes) != 2 {
		t.Errorf("votes %v, %v; want two and that the deadline is over", votes, err)
	}
	if votes, err = socketio.CallAll[string](withTimeout(t), ns.Everybody().In("nobody"), "vote"); err != nil || len(votes) != 0 {
		t.Errorf("votes of nobody: %v, %v", votes, err)
	}
	if _, err = socketio.CallAll[string](context.Background(), ns.Everybody(), "vote"); !errors.Is(err, socketio.ErrNoDeadline) {
		t.Errorf("without a deadline: %v", err)
	}
}

func TestAdmit(t *testing.T) {
	io := newServer(t)
	ns := io.Of("/vip")
	ns.Admit(func(_ context.Context, s *socket.Socket) error {
		auth, _ := s.Handshake().Auth.(map[string]any)
		switch auth["card"] {
		case nil:
			return &socketio.AdmissionError{Message: "members only", Data: map[string]any{"code": "no_card"}}
		case "bug":
			panic("a bug")
		case "failure":
			return errors.New("the database is away")
		}
		s.SetData("checked")
		return nil
	})
	for card, want := range map[any]string{nil: `members only {"code":"no_card"}`, "bug": "Internal server error ", "failure": "Internal server error "} {
		message, data := sockettest.Refused(t, io, "/vip", sockettest.Auth(map[string]any{"card": card}))
		if got := message + " " + string(data.JSON); got != want {
			t.Errorf("%v: refused with %q, want %q", card, got, want)
		}
	}
	c := sockettest.Connect(t, io, "/vip", sockettest.Auth(map[string]any{"card": "valid"}))
	if s, ok := ns.Sockets().Load(socket.SocketId(c.ID)); !ok || s.Data() != "checked" {
		t.Error("the admitted socket is not there, or not checked")
	}
}

func TestReasons(t *testing.T) {
	io := newServer(t)
	ns := io.Of("/")
	reasons := make(chan string, 1)
	connected := make(chan bool, 1) // a socket that is gone before that was never there
	ns.OnConnect(func(context.Context, *socket.Socket) error { connected <- true; return nil })
	ns.OnDisconnect(func(_ context.Context, _ *socket.Socket, reason string) { reasons <- reason })
	c, _ := joined(t, io, ns)
	<-connected
	c.Disconnect()
	if got := <-reasons; got != socketio.ReasonClientDisconnect {
		t.Errorf("the client left: %q", got)
	}
	_, s := joined(t, io, ns)
	<-connected
	s.Disconnect(false)
	if got := <-reasons; got != socketio.ReasonServerDisconnect {
		t.Errorf("the server disconnected it: %q", got)
	}
}

func TestServerEventsWithoutOthers(t *testing.T) {
	io := newServer(t)
	ns := io.Of("/")
	if err := ns.EmitServers("hello"); err == nil {
		t.Error("with nobody to emit to there is no error")
	}
	if _, err := socketio.CallServers[int](withTimeout(t), ns, "hello"); err == nil {
		t.Error("with nobody to ask there is no error")
	}
	if err := socketio.OnServer(ns, "connection", func(context.Context, int) (int, error) { return 0, nil }); err == nil {
		t.Error("a reserved name is no error")
	}
	// What an adapter does with an event of another instance.
	err := socketio.OnServer(ns, "double", func(_ context.Context, n int) (int, error) { return 2 * n, nil })
	if err != nil {
		t.Fatal(err)
	}
	answers := make(chan any, 1)
	ns.OnServerSideEmit([]any{"double", 21.0, socket.Ack(func(args []any, _ error) { answers <- args[0] })})
	if got := <-answers; got != 42 {
		t.Errorf("answered %v", got)
	}
}

// TestRestOfTheLibrary calls what no other test does.
func TestRestOfTheLibrary(t *testing.T) {
	io := newServer(t)
	ns := io.Of("/")
	a, sa := joined(t, io, ns)
	b, sb := joined(t, io, ns)
	sa.Join("room")
	sb.Join("room")
	for _, emit := range []func(string, ...any) error{
		sa.In("room").Emit, sa.Except("nobody").Emit, sa.Local().Emit, sa.Compress(true).To("room").Emit,
	} {
		if err := emit("x"); err != nil {
			t.Error(err)
		}
		b.Expect("x") // and not the sender, as the next event shows
	}
	ns.Send("all")
	ns.Write("all")
	sa.Write("one")
	for _, c := range []*sockettest.Client{a, b} {
		c.Expect("message")
		c.Expect("message")
	}
	a.Expect("message")
	if sa.Client() == nil || sa.Client() == sb.Client() {
		t.Error("Client")
	}
	if n := ns.Adapter().Rooms().Len(); n != 3 { // two of the sockets' own
		t.Errorf("%d rooms", n)
	}
	remote := mustSockets(t, ns.Everybody().In(socket.Room(sb.Id())))[0]
	if err := remote.Timeout(sockettest.Patience).Emit("to one"); err != nil {
		t.Error(err)
	}
	b.Expect("to one")
	remote.Disconnect(false)
	b.ExpectDisconnect()
}

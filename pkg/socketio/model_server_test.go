package socketio

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"testing"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	"github.com/zishang520/socket.io/v2/socket"
)

// newWorld is a server whose handlers do what a model says, and three clients that are not connected yet.
func newWorld(t *testing.T) *world {
	w := &world{bubble: newBubble(t, Options{}), model: newModel([]int{4, 3, 4}), static: map[string]*Namespace{}}
	for _, m := range w.model.clients {
		w.clients = append(w.clients, &worldClient{world: w, protocol: m.protocol})
	}
	for _, nsp := range []string{modelRoot, modelStatic, modelLocked} {
		w.static[nsp] = w.bubble.Of(nsp)
		w.handle(w.static[nsp])
	}
	w.static[modelLocked].Use(func(_ *socket.Socket, next func(*socket.ExtendedError)) { next(socket.NewExtendedError("locked", nil)) })
	w.bubble.IO().Of(regexp.MustCompile(`^/dyn-\d$`), nil).On("connection", func(args ...any) {
		sock := args[0].(*socket.Socket)
		w.connected(sock)
		for event, handler := range w.handlers() {
			mustOn(t, sock, event, func(args ...any) { handler(sock, args) })
		}
		mustOn(t, sock, "disconnect", func(args ...any) { w.disconnected(sock, args[0].(string)) })
	})
	return w
}

// handle makes a namespace that of the model: with typed handlers, where the dynamic one has listeners.
func (w *world) handle(ns *Namespace) {
	ns.OnConnect(func(_ context.Context, sock *socket.Socket) error {
		w.connected(sock)
		return nil
	})
	ns.OnDisconnect(func(_ context.Context, sock *socket.Socket, reason string) { w.disconnected(sock, reason) })
	for event, handler := range w.handlers() {
		OnRequest(ns, event, func(_ context.Context, sock *socket.Socket, r Request) error {
			var args []any
			for i := range r.Len() {
				v, err := r.Arg(i).Value()
				if err != nil {
					return err
				}
				args = append(args, v)
			}
			if r.Asked() {
				later := r.Later()
				args = append(args, func(answer []any, _ error) { later(answer[0]) })
			}
			handler(sock, args)
			return nil
		})
	}
}

// A place is what a socket's data is: its number, and the rooms that it was in when it was about to leave.
type numbered struct {
	n     int
	rooms []socket.Room
}

func (w *world) connected(sock *socket.Socket) {
	w.mu.Lock()
	w.came++
	data := &numbered{n: w.came}
	w.mu.Unlock()
	sock.SetData(data)
	sock.Join("lobby")
	mustOn(w.bubble.t, sock, "disconnecting", func(...any) {
		data.rooms = slices.DeleteFunc(sock.Rooms().Keys(), func(r socket.Room) bool { return r == socket.Room(sock.Id()) })
		slices.Sort(data.rooms)
	})
	_ = sock.Nsp().To("lobby").Emit("came", data.n)
}

func (w *world) disconnected(sock *socket.Socket, reason string) {
	data := sock.Data().(*numbered)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.gone = append(w.gone, fmt.Sprintf("%s %d %v %s", sock.Nsp().Name(), data.n, data.rooms, reason))
}

// handlers are those of the events that clients send, with what the event brings.
func (w *world) handlers() map[string]func(sock *socket.Socket, args []any) {
	room := func(args []any) socket.Room { return socket.Room(args[1].(string)) }
	return map[string]func(*socket.Socket, []any){
		"enter":    func(sock *socket.Socket, args []any) { sock.Join(room(args)) },
		"exit":     func(sock *socket.Socket, args []any) { sock.Leave(room(args)) },
		"say":      func(sock *socket.Socket, args []any) { _ = sock.Nsp().Emit("said", args[0]) },
		"volatile": func(sock *socket.Socket, args []any) { _ = sock.Nsp().Volatile().Emit("said", args[0]) },
		"others":   func(sock *socket.Socket, args []any) { _ = sock.Broadcast().Emit("other", args[0]) },
		"to room": func(sock *socket.Socket, args []any) {
			_ = sock.Nsp().To(room(args), "blue").Except("drafted").Emit("in", args[0])
		},
		"kick": func(sock *socket.Socket, _ []any) { sock.Disconnect(false) },
		"kill": func(sock *socket.Socket, _ []any) { sock.Disconnect(true) },
		"echo": func(_ *socket.Socket, args []any) {
			args[len(args)-1].(func([]any, error))(args[:1], nil)
		},
		"ask": func(sock *socket.Socket, args []any) {
			sock.EmitWithAck("q", args[0])(func(answer []any, _ error) { _ = sock.Emit("thanks", answer[0]) })
		},
	}
}

// do does what an op says.
func (w *world) do(o op) {
	c := w.clients[o.client]
	ns := w.static[o.nsp]
	switch o.kind {
	case "open":
		w.open(c)
	case "cut":
		c.cut()
	case "nonsense":
		c.send("4nonsense")
	case "join":
		c.send("40" + prefixOf(o.nsp))
	case "leave":
		c.send("41" + prefixOf(o.nsp))
	case "rejoin": // one behind the other, without waiting
		c.send("41"+prefixOf(o.nsp), "40"+prefixOf(o.nsp))
	case "hasty": // does not wait for anything
		prefix := prefixOf(o.nsp)
		c.send("40"+prefix, fmt.Sprintf(`42%s["say",%d]`, prefix, o.n), "41"+prefix, "40"+prefix, fmt.Sprintf(`42%s%d["echo",%d]`, prefix, o.n, o.n))
	case "server says":
		_ = ns.Except(socket.Room(o.room)).Emit("server", o.n)
	case "server joins":
		ns.In(socket.Room(o.room)).SocketsJoin("drafted")
	case "server leaves":
		ns.SocketsLeave(socket.Room(o.room))
	case "server kicks":
		ns.In(socket.Room(o.room)).DisconnectSockets(false)
	default:
		c.act(o)
	}
}

func (c *worldClient) act(o op) {
	prefix := prefixOf(o.nsp)
	switch o.kind {
	case "echo":
		c.send(fmt.Sprintf(`42%s%d["echo",%d]`, prefix, o.n, o.n))
	case "echo binary":
		c.send(fmt.Sprintf(`451-%s%d["echo",%s]`, prefix, o.n, ph0), fmt.Sprintf("b:%d", o.n))
	case "say binary":
		c.send(fmt.Sprintf(`451-%s["say",%s]`, prefix, ph0), fmt.Sprintf("b:%d", o.n))
	case "answer":
		c.world.mu.Lock()
		id := "12345" // nobody waits for it
		if list := c.asked[o.nsp]; len(list) > 0 {
			id, c.asked[o.nsp] = list[0], list[1:]
		}
		c.world.mu.Unlock()
		c.send(fmt.Sprintf("43%s%s[%d]", prefix, id, o.n))
	default:
		args, err := json.Marshal([]any{o.kind, o.n, o.room})
		if err != nil {
			c.world.bubble.t.Error(err)
		}
		c.send("42" + prefix + string(args))
	}
}

// send sends messages, an attachment as "b:…". The connection may end meanwhile.
func (c *worldClient) send(messages ...string) {
	c.world.mu.Lock()
	conn := c.conn
	c.world.mu.Unlock()
	for _, m := range messages {
		var err error
		switch {
		case m[0] != 'b':
			err = wsutil.WriteClientMessage(conn, ws.OpText, []byte(m))
		case c.protocol == 3:
			err = wsutil.WriteClientMessage(conn, ws.OpBinary, []byte("\x04"+m[2:]))
		default:
			err = wsutil.WriteClientMessage(conn, ws.OpBinary, []byte(m[2:]))
		}
		if err != nil {
			return
		}
	}
}

package redisadapter

import (
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/zishang520/engine.io/v2/types"
	rtypes "github.com/zishang520/socket.io-go-redis/types"
	"github.com/zishang520/socket.io/v2/adapter"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/redisadapter/internal/wire"
)

// FetchSockets calls back with the sockets opts selects on all instances. If some instance does not
// answer in time, or Redis is out of reach, it calls back with what there is and an error. Of
// sockets on generation 2 nodes only the id is known.
func (a *Adapter) FetchSockets(opts *socket.BroadcastOptions) func(func([]socket.SocketDetails, error)) {
	return func(callback func([]socket.SocketDetails, error)) {
		a.LocalAdapter.FetchSockets(opts)(func(sockets []socket.SocketDetails, err error) {
			if err != nil || onlyLocal(opts) {
				callback(sockets, err)
				return
			}
			a.fetchRemote(opts, slices.Clone(sockets), callback)
		})
	}
}

func (a *Adapter) fetchRemote(opts *socket.BroadcastOptions, sockets []socket.SocketDetails, callback func([]socket.SocketDetails, error)) {
	id, old := wire.NewID(), newSelection(opts)
	a.gatherAnswers(&gather{
		what: "fetch sockets",
		ids:  append([]string{id}, old.asks...),
		want: func(c wire.Census) int { return c.Others() + old.answers(c) },
		start: func(c wire.Census) []wire.Out {
			list := old.requests(a, c)
			if c.Others() > 0 {
				list = append(list, &wire.Request{RequestID: id, Type: rtypes.REMOTE_FETCH, Opts: wire.OptionsOf(opts)})
			}
			return a.items(list)
		},
		take: func(r *wire.Response) {
			if old.take(r) {
				return
			}
			var list []wire.RemoteSocket
			if json.Unmarshal(r.Sockets, &list) != nil {
				return
			}
			for _, s := range list {
				sockets = append(sockets, s.Details())
			}
		},
		done: func(err error) {
			for _, id := range old.ids() {
				sockets = append(sockets, adapter.NewRemoteSocket(&adapter.SocketResponse{
					Id: socket.SocketId(id), Handshake: &socket.Handshake{}, Rooms: []socket.Room{socket.Room(id)},
				}))
			}
			a.hub.Protect("callback of FetchSockets", func() { callback(sockets, err) })
		},
	})
}

// AllRooms calls back with the rooms of all instances; errors as in FetchSockets.
func (a *Adapter) AllRooms() func(func(*types.Set[socket.Room], error)) {
	return func(callback func(*types.Set[socket.Room], error)) {
		rooms := types.NewSet(a.Rooms().Keys()...)
		id, oldID := wire.NewID(), wire.NewID()
		a.gatherAnswers(&gather{
			what: "all rooms",
			ids:  []string{id, oldID},
			want: func(c wire.Census) int {
				if !a.format.Legacy() {
					return max(c.Ours-1, 0) // Node's adapters of the other modes cannot tell
				}
				return c.Others() + c.LegacyNodes()
			},
			start: func(c wire.Census) []wire.Out {
				list := []*wire.Request{{RequestID: id, Type: rtypes.ALL_ROOMS}}
				if c.LegacyNodes() > 0 {
					list = append(list, &wire.Request{LegacyID: oldID, Type: wire.LegacyAllRooms})
				}
				return a.items(list)
			},
			take: func(r *wire.Response) {
				if r.Rooms != nil {
					rooms.Add(r.Rooms.Rooms()...)
				}
			},
			done: func(err error) { a.hub.Protect("callback of AllRooms", func() { callback(rooms, err) }) },
		})
	}
}

// items makes publishes of requests.
func (a *Adapter) items(requests []*wire.Request) (list []wire.Out) {
	for _, r := range requests {
		it, err := a.format.Request(r)
		if err != nil {
			a.hub.Drop(err)
			continue
		}
		list = append(list, it)
	}
	return list
}

// AddSockets makes the sockets opts selects join rooms, on all instances.
func (a *Adapter) AddSockets(opts *socket.BroadcastOptions, rooms []socket.Room) {
	a.LocalAdapter.AddSockets(opts, rooms)
	if onlyLocal(opts) {
		return
	}
	a.command(&wire.Request{Type: rtypes.REMOTE_JOIN, Opts: wire.OptionsOf(opts), Rooms: wire.ListOf(rooms)})
	a.commandLegacy(opts, func(sid string) (list []*wire.Request) {
		for _, room := range rooms {
			list = append(list, &wire.Request{Type: wire.LegacyJoin, Sid: sid, Room: wire.RoomName(room)})
		}
		return list
	})
}

// DelSockets makes the sockets opts selects leave rooms, on all instances.
func (a *Adapter) DelSockets(opts *socket.BroadcastOptions, rooms []socket.Room) {
	// The others first: opts may select by the rooms that are left.
	if !onlyLocal(opts) {
		a.command(&wire.Request{Type: rtypes.REMOTE_LEAVE, Opts: wire.OptionsOf(opts), Rooms: wire.ListOf(rooms)})
		a.commandLegacy(opts, func(sid string) (list []*wire.Request) {
			for _, room := range rooms {
				list = append(list, &wire.Request{Type: wire.LegacyLeave, Sid: sid, Room: wire.RoomName(room)})
			}
			return list
		})
	}
	a.LocalAdapter.DelSockets(opts, rooms)
}

// DisconnectSockets disconnects the sockets opts selects, on all instances; with status their
// connections are closed, too.
func (a *Adapter) DisconnectSockets(opts *socket.BroadcastOptions, status bool) {
	if !onlyLocal(opts) {
		a.command(&wire.Request{Type: rtypes.REMOTE_DISCONNECT, Opts: wire.OptionsOf(opts), Close: &status})
		a.commandLegacy(opts, func(sid string) []*wire.Request {
			return []*wire.Request{{Type: wire.LegacyDisconnect, Sid: sid, Close: &status}}
		})
	}
	a.LocalAdapter.DisconnectSockets(opts, status)
}

// ServerCount is the number of instances that have the namespace, this one included; 1 while Redis
// is out of reach. It asks Redis and waits for the answer, a second at most.
func (a *Adapter) ServerCount() int64 {
	if !a.hub.IsJoined() {
		return 1
	}
	answer := make(chan int, 1)
	err := a.ask(func(c wire.Census, err error) []wire.Out {
		if err == nil {
			answer <- c.All
		} else {
			close(answer)
		}
		return nil
	})
	if err != nil {
		close(answer)
	}
	return int64(max(waitFor(answer, a.hub.Status().Servers), 1))
}

// handleQuery answers a question about our sockets.
func (a *Adapter) handleQuery(req *wire.Request) error {
	r := &wire.Response{}
	switch req.Type {
	case rtypes.SOCKETS:
		r.Sockets, _ = json.Marshal(wire.ListOf(a.LocalAdapter.Sockets(setOf(req.Rooms)).Keys()))
	case rtypes.ALL_ROOMS:
		rooms := wire.ListOf(a.Rooms().Keys())
		r.Rooms = &rooms
	case rtypes.REMOTE_FETCH:
		list := []wire.RemoteSocket{}
		a.LocalAdapter.FetchSockets(req.Opts.BroadcastOptions())(func(sockets []socket.SocketDetails, _ error) {
			for _, s := range sockets {
				list = append(list, wire.Describe(s))
			}
		})
		b, err := wire.EncodeJSON(list)
		if err != nil {
			return err
		}
		r.Sockets = b
	}
	a.publishResponse(req, r)
	return nil
}

// handleCommand does something to our sockets: to those the options select, or to one by its id as
// older adapters of generation 4 ask for.
func (a *Adapter) handleCommand(req *wire.Request) error {
	if req.Opts == nil {
		return a.commandOne(req, req.Type)
	}
	opts := req.Opts.BroadcastOptions()
	switch req.Type {
	case rtypes.REMOTE_JOIN:
		a.LocalAdapter.AddSockets(opts, req.Rooms.Rooms())
	case rtypes.REMOTE_LEAVE:
		a.LocalAdapter.DelSockets(opts, req.Rooms.Rooms())
	case rtypes.REMOTE_DISCONNECT:
		a.later(&a.events, "disconnect handler", func() { a.LocalAdapter.DisconnectSockets(opts, req.Close != nil && *req.Close) })
	}
	return nil
}

// commandOne does something to one socket of ours and answers, if we have it.
func (a *Adapter) commandOne(req *wire.Request, what adapter.MessageType) error {
	s, ok := a.Nsp().Sockets().Load(socket.SocketId(req.Sid))
	if !ok {
		return nil
	}
	switch what {
	case rtypes.REMOTE_JOIN:
		rooms := req.Rooms.Rooms()
		if req.Rooms == nil {
			rooms = []socket.Room{socket.Room(req.Room)}
		}
		s.Join(rooms...)
	case rtypes.REMOTE_LEAVE:
		s.Leave(socket.Room(req.Room))
	case rtypes.REMOTE_DISCONNECT:
		a.later(&a.events, "disconnect handler", func() { s.Disconnect(req.Close != nil && *req.Close) })
	}
	a.publishResponse(req, &wire.Response{})
	return nil
}

// later runs code of the application on one of the serial goroutines.
func (a *Adapter) later(s *serial, what string, f func()) {
	if !s.push(func() { a.hub.Protect(what, f) }) {
		a.hub.Overrun(errOverrun)
	}
}

var errOverrun = errors.New("too many requests wait for a handler")

// setOf is a set that is never nil.
func setOf(l wire.RoomList) *types.Set[socket.Room] { return types.NewSet(l.Rooms()...) }

// waitFor waits a second for a number, and takes other if none comes.
func waitFor(answer <-chan int, other int) int {
	t := time.NewTimer(time.Second)
	defer t.Stop()
	select {
	case n, ok := <-answer:
		if ok {
			return n
		}
	case <-t.C:
	}
	return other
}

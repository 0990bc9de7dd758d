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
)

var errRequestType = errors.New("unknown request")

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
	id, old := newID(), newSelection(opts)
	a.gatherAnswers(&gather{
		what: "fetch sockets",
		ids:  append([]string{id}, old.asks...),
		want: func(c census) int { return c.others() + old.answers(c) },
		start: func(c census) []out {
			list := old.requests(a, c)
			if c.others() > 0 {
				list = append(list, &request{RequestID: id, Type: rtypes.REMOTE_FETCH, Opts: optionsOf(opts)})
			}
			return a.items(list)
		},
		take: func(r *response) {
			if old.take(r) {
				return
			}
			var list []remoteSocket
			if json.Unmarshal(r.Sockets, &list) != nil {
				return
			}
			for _, s := range list {
				sockets = append(sockets, s.details())
			}
		},
		done: func(err error) {
			for _, id := range old.ids() {
				sockets = append(sockets, adapter.NewRemoteSocket(&adapter.SocketResponse{
					Id: socket.SocketId(id), Handshake: &socket.Handshake{}, Rooms: []socket.Room{socket.Room(id)},
				}))
			}
			a.hub.protect("callback of FetchSockets", func() { callback(sockets, err) })
		},
	})
}

// AllRooms calls back with the rooms of all instances; errors as in FetchSockets.
func (a *Adapter) AllRooms() func(func(*types.Set[socket.Room], error)) {
	return func(callback func(*types.Set[socket.Room], error)) {
		rooms := types.NewSet(a.Rooms().Keys()...)
		id, oldID := newID(), newID()
		a.gatherAnswers(&gather{
			what: "all rooms",
			ids:  []string{id, oldID},
			want: func(c census) int {
				if !a.format.legacy() {
					return max(c.ours-1, 0) // Node's adapters of the other modes cannot tell
				}
				return c.others() + c.legacyNodes()
			},
			start: func(c census) []out {
				list := []*request{{RequestID: id, Type: rtypes.ALL_ROOMS}}
				if c.legacyNodes() > 0 {
					list = append(list, &request{LegacyID: oldID, Type: legacyAllRooms})
				}
				return a.items(list)
			},
			take: func(r *response) {
				if r.Rooms != nil {
					rooms.Add(r.Rooms.rooms()...)
				}
			},
			done: func(err error) { a.hub.protect("callback of AllRooms", func() { callback(rooms, err) }) },
		})
	}
}

// items makes publishes of requests.
func (a *Adapter) items(requests []*request) (list []out) {
	for _, r := range requests {
		it, err := a.format.request(r)
		if err != nil {
			a.hub.drop(item{}, err)
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
	a.command(&request{Type: rtypes.REMOTE_JOIN, Opts: optionsOf(opts), Rooms: listOf(rooms)})
	a.commandLegacy(opts, func(sid string) (list []*request) {
		for _, room := range rooms {
			list = append(list, &request{Type: legacyJoin, Sid: sid, Room: roomName(room)})
		}
		return list
	})
}

// DelSockets makes the sockets opts selects leave rooms, on all instances.
func (a *Adapter) DelSockets(opts *socket.BroadcastOptions, rooms []socket.Room) {
	// The others first: opts may select by the rooms that are left.
	if !onlyLocal(opts) {
		a.command(&request{Type: rtypes.REMOTE_LEAVE, Opts: optionsOf(opts), Rooms: listOf(rooms)})
		a.commandLegacy(opts, func(sid string) (list []*request) {
			for _, room := range rooms {
				list = append(list, &request{Type: legacyLeave, Sid: sid, Room: roomName(room)})
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
		a.command(&request{Type: rtypes.REMOTE_DISCONNECT, Opts: optionsOf(opts), Close: &status})
		a.commandLegacy(opts, func(sid string) []*request {
			return []*request{{Type: legacyDisconnect, Sid: sid, Close: &status}}
		})
	}
	a.LocalAdapter.DisconnectSockets(opts, status)
}

// ServerCount is the number of instances that have the namespace, this one included; 1 while Redis
// is out of reach. It asks Redis and waits for the answer, a second at most.
func (a *Adapter) ServerCount() int64 {
	if !a.hub.isJoined() {
		return 1
	}
	answer := make(chan int, 1)
	err := a.ask(func(c census, err error) []out {
		if err == nil {
			answer <- c.all
		} else {
			close(answer)
		}
		return nil
	})
	if err != nil {
		close(answer)
	}
	return int64(max(waitFor(answer, a.hub.status().Servers), 1))
}

// handleQuery answers a question about our sockets.
func (a *Adapter) handleQuery(req *request) error {
	r := &response{}
	switch req.Type {
	case rtypes.SOCKETS:
		r.Sockets, _ = json.Marshal(listOf(a.LocalAdapter.Sockets(setOf(req.Rooms)).Keys()))
	case rtypes.ALL_ROOMS:
		rooms := listOf(a.Rooms().Keys())
		r.Rooms = &rooms
	case rtypes.REMOTE_FETCH:
		list := []remoteSocket{}
		a.LocalAdapter.FetchSockets(req.Opts.broadcastOptions())(func(sockets []socket.SocketDetails, _ error) {
			for _, s := range sockets {
				list = append(list, describe(s))
			}
		})
		b, err := encodeJSON(list)
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
func (a *Adapter) handleCommand(req *request) error {
	if req.Opts == nil {
		return a.commandOne(req, req.Type)
	}
	opts := req.Opts.broadcastOptions()
	switch req.Type {
	case rtypes.REMOTE_JOIN:
		a.LocalAdapter.AddSockets(opts, req.Rooms.rooms())
	case rtypes.REMOTE_LEAVE:
		a.LocalAdapter.DelSockets(opts, req.Rooms.rooms())
	case rtypes.REMOTE_DISCONNECT:
		a.later(&a.events, "disconnect handler", func() { a.LocalAdapter.DisconnectSockets(opts, req.Close != nil && *req.Close) })
	}
	return nil
}

// commandOne does something to one socket of ours and answers, if we have it.
func (a *Adapter) commandOne(req *request, what adapter.MessageType) error {
	s, ok := a.Nsp().Sockets().Load(socket.SocketId(req.Sid))
	if !ok {
		return nil
	}
	switch what {
	case rtypes.REMOTE_JOIN:
		s.Join(socket.Room(req.Room))
	case rtypes.REMOTE_LEAVE:
		s.Leave(socket.Room(req.Room))
	case rtypes.REMOTE_DISCONNECT:
		a.later(&a.events, "disconnect handler", func() { s.Disconnect(req.Close != nil && *req.Close) })
	}
	a.publishResponse(req, &response{})
	return nil
}

// later runs code of the application on one of the serial goroutines.
func (a *Adapter) later(s *serial, what string, f func()) {
	if !s.push(func() { a.hub.protect(what, f) }) {
		a.hub.overruns.Add(1)
		a.hub.fault.warn("Handlers are too slow for what other instances ask; requests are dropped", errOverrun)
	}
}

var errOverrun = errors.New("too many requests wait for a handler")

// setOf is a set that is never nil.
func setOf(l roomList) *types.Set[socket.Room] { return types.NewSet(l.rooms()...) }

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

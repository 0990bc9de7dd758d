package redisadapter

import (
	"encoding/json"
	"slices"

	rtypes "github.com/zishang520/socket.io-go-redis/types"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/redisadapter/internal/wire"
)

// Generation 2 nodes cannot select sockets by options; they list the ids in some rooms, and do
// something to one id. So a command for them is two lists, of the rooms and of the excepted rooms
// (an id is a room, too), and then a request for each id in the first and not in the second.

// selection is what is known of the sockets on generation 2 nodes that some options select.
type selection struct {
	opts *socket.BroadcastOptions
	asks []string // ids of the requests: for the sockets in the rooms, and for those in the excepted rooms if there are any
	in   []string
	out  map[string]bool
}

func newSelection(opts *socket.BroadcastOptions) *selection {
	s := &selection{opts: opts, asks: []string{wire.NewID()}, out: map[string]bool{}}
	if opts != nil && opts.Except != nil && opts.Except.Len() > 0 {
		s.asks = append(s.asks, wire.NewID())
	}
	return s
}

// answers is how many answers to expect.
func (s *selection) answers(c wire.Census) int { return len(s.asks) * c.LegacyNodes() }

// requests makes the requests, if there are such nodes.
func (s *selection) requests(a *Adapter, c wire.Census) (list []*wire.Request) {
	if c.LegacyNodes() == 0 {
		return nil
	}
	opts := wire.OptionsOf(s.opts)
	for i, rooms := range []wire.RoomList{opts.Rooms, opts.Except}[:len(s.asks)] {
		list = append(list, &wire.Request{LegacyID: s.asks[i], Type: wire.LegacyClients, Rooms: rooms})
	}
	return list
}

// take takes a response if a generation 2 node sent it.
func (s *selection) take(r *wire.Response) bool {
	if r.LegacyID == "" {
		return false
	}
	if r.Clients == nil {
		return true
	}
	for _, id := range *r.Clients {
		if string(r.LegacyID) == s.asks[0] {
			s.in = append(s.in, string(id))
		} else {
			s.out[string(id)] = true
		}
	}
	return true
}

// ids are the sockets that are selected.
func (s *selection) ids() []string {
	return slices.DeleteFunc(s.in, func(id string) bool { return s.out[id] })
}

// commandLegacy sends the requests that perSocket makes for each socket of generation 2 nodes that
// opts selects. It does not wait.
func (a *Adapter) commandLegacy(opts *socket.BroadcastOptions, perSocket func(sid string) []*wire.Request) {
	if !a.format.Legacy() || !a.hub.IsJoined() {
		return
	}
	s := newSelection(opts)
	a.gatherAnswers(&gather{
		what:  "command sockets of socket.io 2 nodes",
		ids:   s.asks,
		want:  s.answers,
		start: func(c wire.Census) []wire.Out { return a.items(s.requests(a, c)) },
		take:  func(r *wire.Response) { s.take(r) },
		done: func(err error) {
			if err != nil {
				a.hub.Warn("sockets of socket.io 2 nodes may not have been reached", err)
			}
			for _, sid := range s.ids() {
				for _, r := range perSocket(sid) {
					r.LegacyID = wire.NewID()
					a.command(r)
				}
			}
		},
	})
}

// handleLegacy answers a request of a generation 2 node.
func (a *Adapter) handleLegacy(req *wire.Request) error {
	switch req.Type {
	case wire.LegacyClients:
		list := wire.ListOf(a.LocalAdapter.Sockets(setOf(req.Rooms)).Keys())
		a.publishResponse(req, &wire.Response{Clients: &list})
	case wire.LegacyClientRooms:
		if rooms := a.SocketRooms(socket.SocketId(req.Sid)); rooms != nil {
			list := wire.ListOf(rooms.Keys())
			a.publishResponse(req, &wire.Response{Rooms: &list})
		}
	case wire.LegacyAllRooms:
		list := wire.ListOf(a.Rooms().Keys())
		a.publishResponse(req, &wire.Response{Rooms: &list})
	case wire.LegacyJoin:
		return a.commandOne(req, rtypes.REMOTE_JOIN)
	case wire.LegacyLeave:
		return a.commandOne(req, rtypes.REMOTE_LEAVE)
	case wire.LegacyDisconnect:
		return a.commandOne(req, rtypes.REMOTE_DISCONNECT)
	case wire.LegacyCustom:
		// As a node without a hook for it answers.
		a.publishResponse(req, &wire.Response{Data: json.RawMessage("null")})
	default:
		return wire.ErrRequestType
	}
	return nil
}

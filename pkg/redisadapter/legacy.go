package redisadapter

import (
	"encoding/json"
	"slices"

	rtypes "github.com/zishang520/socket.io-go-redis/types"
	"github.com/zishang520/socket.io/v2/socket"
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
	s := &selection{opts: opts, asks: []string{newID()}, out: map[string]bool{}}
	if opts != nil && opts.Except != nil && opts.Except.Len() > 0 {
		s.asks = append(s.asks, newID())
	}
	return s
}

// answers is how many answers to expect.
func (s *selection) answers(c census) int { return len(s.asks) * c.legacyNodes() }

// requests makes the requests, if there are such nodes.
func (s *selection) requests(a *Adapter, c census) (list []*request) {
	if c.legacyNodes() == 0 {
		return nil
	}
	opts := optionsOf(s.opts)
	for i, rooms := range []roomList{opts.Rooms, opts.Except}[:len(s.asks)] {
		list = append(list, &request{LegacyID: s.asks[i], Type: legacyClients, Rooms: rooms})
	}
	return list
}

// take takes a response if a generation 2 node sent it.
func (s *selection) take(r *response) bool {
	if r.LegacyID == "" {
		return false
	}
	if r.Clients == nil {
		return true
	}
	for _, id := range *r.Clients {
		if r.LegacyID == s.asks[0] {
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
func (a *Adapter) commandLegacy(opts *socket.BroadcastOptions, perSocket func(sid string) []*request) {
	if !a.format.legacy() || !a.hub.isJoined() {
		return
	}
	s := newSelection(opts)
	a.gatherAnswers(&gather{
		what:  "command sockets of socket.io 2 nodes",
		ids:   s.asks,
		want:  s.answers,
		start: func(c census) []out { return a.items(s.requests(a, c)) },
		take:  func(r *response) { s.take(r) },
		done: func(err error) {
			if err != nil {
				a.hub.fault.warn("Sockets of socket.io 2 nodes may not have been reached", err)
			}
			for _, sid := range s.ids() {
				for _, r := range perSocket(sid) {
					r.LegacyID = newID()
					a.command(r)
				}
			}
		},
	})
}

// handleLegacy answers a request of a generation 2 node.
func (a *Adapter) handleLegacy(req *request) error {
	switch req.Type {
	case legacyClients:
		list := listOf(a.LocalAdapter.Sockets(setOf(req.Rooms)).Keys())
		a.publishResponse(req, &response{Clients: &list})
	case legacyClientRooms:
		if rooms := a.SocketRooms(socket.SocketId(req.Sid)); rooms != nil {
			list := listOf(rooms.Keys())
			a.publishResponse(req, &response{Rooms: &list})
		}
	case legacyAllRooms:
		list := listOf(a.Rooms().Keys())
		a.publishResponse(req, &response{Rooms: &list})
	case legacyJoin:
		return a.commandOne(req, rtypes.REMOTE_JOIN)
	case legacyLeave:
		return a.commandOne(req, rtypes.REMOTE_LEAVE)
	case legacyDisconnect:
		return a.commandOne(req, rtypes.REMOTE_DISCONNECT)
	case legacyCustom:
		// As a node without a hook for it answers.
		a.publishResponse(req, &response{Data: json.RawMessage("null")})
	default:
		return errRequestType
	}
	return nil
}

package chat

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/zishang520/socket.io/v2/socket"
)

// The chat's rooms are rooms of the adapter with names that collide with nobody's: rooms that clients join, those of a person's connections, and
// those of the clients that watch the presence of a room.
const (
	roomPrefix  = "socketio-chat:room:"
	userPrefix  = "socketio-chat:user:"
	watchPrefix = "socketio-chat:watch:"
)

func roomOf(name string) socket.Room  { return socket.Room(roomPrefix + name) }
func userOf(name string) socket.Room  { return socket.Room(userPrefix + name) }
func watchOf(room string) socket.Room { return socket.Room(watchPrefix + room) }

// The bounds of rooms.
const (
	maxRoomName = 64 // characters
	maxRooms    = 50 // of a connection
)

var (
	errNoRooms    = &Problem{Off, "this chat has no rooms"}
	errNotJoined  = &Problem{NotJoined, "join the room first"}
	errRoomName   = &Problem{BadRequest, "the name of a room has 1 to 64 characters"}
	errRooms      = &Problem{TooMany, "a connection may be in 50 rooms"}
	errNotAllowed = &Problem{Forbidden, "you may not join this room"}
)

func (g *Gateway) join(ctx context.Context, s *socket.Socket, in RoomRequest) (RoomRequest, error) {
	switch {
	case !g.opts.Rooms:
		return in, errNoRooms
	case in.Room == "" || tooLong(in.Room, maxRoomName):
		return in, errRoomName
	case g.isIn(s, in.Room):
		return in, nil
	case len(roomsOf(s)) >= maxRooms:
		return in, errRooms
	}
	if g.opts.MayJoin != nil {
		if err := g.opts.MayJoin(ctx, s, in.Room); err != nil {
			if problem := (*Problem)(nil); errors.As(err, &problem) {
				return in, problem
			}
			return in, errNotAllowed
		}
	}
	s.Join(roomOf(in.Room))
	g.people.enter(s, in.Room)
	return in, nil
}

func (g *Gateway) leave(_ context.Context, s *socket.Socket, in RoomRequest) (RoomRequest, error) {
	if !g.opts.Rooms {
		return in, errNoRooms
	}
	if in.Room == "" || !g.isIn(s, in.Room) {
		return in, errNotJoined
	}
	s.Leave(roomOf(in.Room))
	s.Leave(watchOf(in.Room))
	g.people.leave(s, in.Room)
	return in, nil
}

func (g *Gateway) rooms(_ context.Context, s *socket.Socket, _ struct{}) (RoomsAnswer, error) {
	if !g.opts.Rooms {
		return RoomsAnswer{}, errNoRooms
	}
	answer := RoomsAnswer{Rooms: []RoomEntry{}}
	for _, room := range roomsOf(s) {
		answer.Rooms = append(answer.Rooms, RoomEntry{room, true, g.people.connections(room)})
	}
	return answer, nil
}

// isIn tells whether a socket has joined a room. Everybody is in the lobby, "".
func (g *Gateway) isIn(s *socket.Socket, room string) bool {
	return room == "" || g.opts.Rooms && g.chat.IsIn(s, roomOf(room))
}

// roomsOf lists the rooms that a socket has joined, in order.
func roomsOf(s *socket.Socket) (list []string) {
	for _, r := range s.Rooms().Keys() {
		if name, ok := strings.CutPrefix(string(r), roomPrefix); ok {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}

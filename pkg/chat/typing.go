package chat

import (
	"context"
	"time"

	"github.com/zishang520/socket.io/v2/socket"
)

// How long somebody types after having told so, and how often a socket may tell.
const (
	typingFor   = 6 * time.Second
	typingPause = 2 * time.Second
)

// typing tells those who watch a room, or a person, that somebody types.
func (g *Gateway) typing(ctx context.Context, s *socket.Socket, in TypingRequest) (Done, error) {
	if g.people == nil {
		return Done{}, errNoPresence
	}
	if !g.isIn(s, in.Room) {
		return Done{}, errNotJoined
	}
	name := g.people.call(s, in.Name)
	if name == "" {
		return Done{}, &Problem{BadRequest, "typing needs a name"}
	}
	if in.To != "" && !g.private() {
		return Done{}, errNoPrivate
	}
	if !g.people.mayType(s, time.Now()) {
		return Done{true}, nil
	}
	what, to := Typing{Room: in.Room, Name: name, For: typingFor.Milliseconds()}, watchOf(in.Room)
	if in.To != "" {
		what, to = Typing{Private: true, From: name, Name: name, For: typingFor.Milliseconds()}, userOf(in.To)
	}
	err := g.chat.Everybody().In(to).ExceptSocket(s).Volatile().BroadcastFrom(ctx, EventTyping, what)
	return Done{true}, err
}

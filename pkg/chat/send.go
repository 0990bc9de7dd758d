package chat

import (
	"context"
	"time"

	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/chat/history"
	"socketio-chat/pkg/socketio"
)

// kept marks a broadcast whose message the instance that sends it keeps itself: it leaves out a room that nobody is ever in. All servers of a
// cluster understand that, Node's too, and it changes nothing for anybody.
const kept socket.Room = "socketio-chat:kept"

// A target is what a message is sent to.
type target struct{ room, to string }

// said handles msgToServer where more is on than in the seed: it may go to a room, and be acknowledged.
func (g *Gateway) said(ctx context.Context, s *socket.Socket, r socketio.Request) error {
	message, to := r.Payload(), target{}
	if r.Len() == 2 && g.opts.Rooms {
		var room string
		if r.Arg(1).Decode(&room) == nil && room != "" && g.isIn(s, room) {
			message, to = r.Arg(0), target{room: room}
		}
	}
	message, err := g.check(s, message)
	if err != nil {
		return err
	}
	var done func(Sent)
	if g.opts.History.Store != nil && r.Asked() {
		answer := r.Later()
		done = func(sent Sent) { answer(sent) }
	}
	g.relay(ctx, g.outgoing(s, to, message, "", done))
	return nil
}

// sendRequest reads the argument of send. The payload stays as it is.
func sendRequest(p socketio.Payload) (in SendRequest, err error) {
	members, ok := p.Members()
	if !ok {
		return in, &Problem{BadRequest, "send takes an object with a payload"}
	}
	for m := range members {
		value := socketio.Payload{JSON: m.Value, Attachments: p.Attachments}
		var field *string
		switch m.Name {
		case "payload":
			in.Payload = value
		case "room":
			field = &in.Room
		case "to":
			field = &in.To
		case "id":
			field = &in.ID
		}
		if field != nil && value.Decode(field) != nil {
			return in, &Problem{BadRequest, m.Name + " must be a string"}
		}
	}
	if in.Payload.JSON == nil {
		return in, &Problem{BadRequest, "send takes an object with a payload"}
	}
	if tooLong(in.ID, maxID) {
		return in, &Problem{TooLarge, "id must have at most 64 characters"}
	}
	return in, nil
}

var errNoPrivate = &Problem{Off, "this chat has no private messages"}

// private tells whether people can be written to: it takes names that nobody else can have, and rooms.
func (g *Gateway) private() bool { return g.opts.Rooms && g.opts.NameOf != nil }

// target finds out where a message goes, and whether the sender may send there.
func (g *Gateway) target(s *socket.Socket, in SendRequest) (target, error) {
	switch {
	case in.Room != "" && in.To != "":
		return target{}, &Problem{BadRequest, "room and to exclude each other"}
	case in.Room != "" && !g.opts.Rooms:
		return target{}, errNoRooms
	case in.To != "" && !g.private():
		return target{}, errNoPrivate
	case !g.isIn(s, in.Room):
		return target{}, errNotJoined
	}
	if in.To != "" && g.people != nil {
		if here, certain := g.people.registry.Has("", shorten(in.To)); !here && certain {
			return target{}, &Problem{NotFound, "nobody of that name is here"}
		}
	}
	return target{in.Room, in.To}, nil
}

// An outgoing message has been checked.
type outgoing struct {
	target
	from    string // the name of its sender, if that is known for certain
	payload socketio.Payload
	key     string     // under which it is known if it comes again, "": it has no id
	done    func(Sent) // called once; nil: nobody asked
}

// outgoing makes one, and learns from it how its sender is called.
func (g *Gateway) outgoing(s *socket.Socket, to target, payload socketio.Payload, key string, done func(Sent)) outgoing {
	m := outgoing{target: to, payload: payload, key: key, done: done}
	if g.opts.NameOf != nil {
		m.from = g.opts.NameOf(s)
	} else {
		g.people.says(s, payload)
	}
	return m
}

func (m outgoing) kept() history.Message {
	return history.Message{Room: m.room, From: m.from, Payload: m.payload, Once: m.key}
}

// relay sends a message on, and keeps it; what is private is not kept.
func (g *Gateway) relay(ctx context.Context, m outgoing) {
	everybody := g.marked(g.chat.Everybody(), m.key)
	if m.to != "" {
		about := PrivateMessage{true, m.from, m.to, time.Now().UnixMilli()}
		_ = everybody.In(userOf(m.to), userOf(m.from)).BroadcastFrom(ctx, MsgToClient, m.payload, about)
		g.settle(m)
		return
	}
	at := g.keep(m.kept(), m.done)
	if m.room == "" {
		g.publish(ctx, m.payload, m.key)
		return
	}
	about := RoomMessage{Room: m.room, From: m.from}
	if !at.IsZero() {
		about.ID, about.Time = at.String(), int64(at.Ms)
	}
	_ = everybody.In(roomOf(m.room)).BroadcastFrom(ctx, MsgToClient, m.payload, about)
}

// publish sends a message to everybody; a Payload can always be encoded.
func (g *Gateway) publish(ctx context.Context, message socketio.Payload, key string) {
	if g.opts.History.Store == nil {
		g.chat.BroadcastFrom(ctx, MsgToClient, message)
		return
	}
	_ = g.marked(g.keptLobby, key).BroadcastFrom(ctx, MsgToClient, message)
}

// keep puts a message into the history, before it is relayed: a client that has got it finds it there. It returns where it is, if that is known at once.
func (g *Gateway) keep(m history.Message, done func(Sent)) (at history.ID) {
	store := g.opts.History.Store
	if store == nil {
		if done != nil {
			done(sentAt(at))
		}
		return at
	}
	if g.shared != nil {
		store.Append(m, receipt(done))
		return at
	}
	store.Append(m, func(r history.Receipt) { // a Memory calls this before it returns
		at = r.ID
		if done != nil {
			receipt(done)(r)
		}
	})
	return at
}

// receipt makes an acknowledgement of what the store says.
func receipt(done func(Sent)) func(history.Receipt) {
	if done == nil {
		return nil
	}
	return func(r history.Receipt) {
		if !r.Kept {
			r.ID = history.ID{}
		}
		done(sentAt(r.ID))
	}
}

// sentAt acknowledges a message by its place in the history; zero: it is not there.
func sentAt(at history.ID) Sent {
	if at.IsZero() {
		return Sent{Time: time.Now().UnixMilli()}
	}
	id := at.String()
	return Sent{ID: &id, Time: int64(at.Ms), Kept: true}
}

package chat

import (
	"context"
	"time"

	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/chat/history"
	"socketio-chat/pkg/chat/once"
	"socketio-chat/pkg/socketio"
)

// How many messages with ids of clients are remembered, and for how long.
const (
	rememberedSends = 20_000
	rememberedFor   = 10 * time.Minute
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
	g.relay(ctx, s, to, message, "", done)
	return nil
}

// send handles a message that is to be acknowledged, and may come again.
func (g *Gateway) send(ctx context.Context, s *socket.Socket, r socketio.Request) error {
	answer := r.Later()
	call, err := g.sendOnce(ctx, s, r.Arg(0))
	if err != nil {
		answer(g.problem(EventSend, err))
		return nil
	}
	call.Then(func(sent Sent) { answer(sent) })
	return nil
}

// A pending is an acknowledgement that comes.
type pending interface{ Then(func(Sent)) }

// again is the pending acknowledgement of a message that came before.
type again struct{ call *once.Call[Sent] }

func (a again) Then(f func(Sent)) {
	a.call.Then(func(sent Sent) { sent.Duplicate = true; f(sent) })
}

func (g *Gateway) sendOnce(ctx context.Context, s *socket.Socket, argument socketio.Payload) (pending, error) {
	in, err := sendRequest(argument)
	if err != nil {
		return nil, err
	}
	to, err := g.target(s, in)
	if err != nil {
		return nil, err
	}
	message, err := g.check(s, in.Payload)
	if err != nil {
		return nil, err
	}
	if in.ID == "" {
		call := new(once.Call[Sent])
		g.relay(ctx, s, to, message, "", call.Finish)
		return call, nil
	}
	key := g.keyOf(s, in.ID)
	call, first := g.sends.Begin(key)
	if !first {
		return again{call}, nil
	}
	g.claim(ctx, s, key, call, func() { g.relay(ctx, s, to, message, key, call.Finish) })
	return call, nil
}

// claim relays a message unless another instance has. Where instances share no store, or Redis is away, only this one is looked at.
func (g *Gateway) claim(ctx context.Context, s *socket.Socket, key string, call *once.Call[Sent], relay func()) {
	if g.shared == nil {
		relay()
		return
	}
	finish := func(where history.ID, err error) {
		if err != nil || where.IsZero() {
			relay()
			return
		}
		id := where.String()
		call.Finish(Sent{ID: &id, Time: int64(where.Ms), Kept: true, Duplicate: true})
	}
	where, wait, err := g.shared.Claim(ctx, key)
	if !wait {
		finish(where, err)
		return
	}
	g.waits.Go(func() { finish(g.shared.Await(key)) }) // the client's next message need not wait for another instance
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

// keyOf is under which name a client's id is remembered. With tokens, nobody can use up another's ids.
func (g *Gateway) keyOf(s *socket.Socket, id string) string {
	if g.opts.NameOf == nil {
		return id
	}
	return g.opts.NameOf(s) + "\x00" + id
}

// relay sends a message on, and keeps it. done, if not nil, is called once.
func (g *Gateway) relay(ctx context.Context, s *socket.Socket, to target, message socketio.Payload, key string, done func(Sent)) {
	from := ""
	if g.opts.NameOf != nil {
		from = g.opts.NameOf(s)
	} else {
		g.people.says(s, message)
	}
	if to.to != "" {
		now := time.Now().UnixMilli()
		_ = g.chat.Everybody().In(userOf(to.to), userOf(from)).BroadcastFrom(ctx, MsgToClient, message, PrivateMessage{true, from, to.to, now})
		if done != nil {
			done(Sent{Time: now})
		}
		return
	}
	at := g.keep(history.Message{Room: to.room, From: from, Payload: message, Once: key}, done)
	if to.room == "" {
		g.publish(ctx, message)
		return
	}
	about := RoomMessage{Room: to.room, From: from}
	if !at.IsZero() {
		about.ID, about.Time = at.String(), int64(at.Ms)
	}
	_ = g.chat.Everybody().In(roomOf(to.room)).BroadcastFrom(ctx, MsgToClient, message, about)
}

// publish sends a message to everybody; a Payload can always be encoded.
func (g *Gateway) publish(ctx context.Context, message socketio.Payload) {
	if g.opts.History.Store == nil {
		g.chat.BroadcastFrom(ctx, MsgToClient, message)
		return
	}
	_ = g.keptLobby.BroadcastFrom(ctx, MsgToClient, message)
}

// keep puts a message into the history, before it is relayed: who has got it finds it there. It returns where it is, if that is known at once.
func (g *Gateway) keep(m history.Message, done func(Sent)) (at history.ID) {
	store := g.opts.History.Store
	if store == nil {
		if done != nil {
			done(Sent{Time: time.Now().UnixMilli()})
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
			done(Sent{Time: time.Now().UnixMilli()})
			return
		}
		id := r.ID.String()
		done(Sent{ID: &id, Time: int64(r.ID.Ms), Kept: true})
	}
}

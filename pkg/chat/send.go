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

// said handles msgToServer where messages are kept, or rooms exist: it may be acknowledged then.
func (g *Gateway) said(ctx context.Context, s *socket.Socket, r socketio.Request) error {
	message, err := g.check(s, r.Payload())
	if err != nil {
		return err
	}
	var done func(Sent)
	if g.opts.History.Store != nil && r.Asked() {
		answer := r.Later()
		done = func(sent Sent) { answer(sent) }
	}
	g.relay(ctx, s, target{}, message, done)
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
		g.relay(ctx, s, to, message, call.Finish)
		return call, nil
	}
	call, first := g.sends.Begin(g.keyOf(s, in.ID))
	if !first {
		return again{call}, nil
	}
	g.relay(ctx, s, to, message, call.Finish)
	return call, nil
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

// target finds out where a message goes, and whether the sender may send there.
func (g *Gateway) target(_ *socket.Socket, in SendRequest) (target, error) {
	switch {
	case in.Room != "":
		return target{}, &Problem{Off, "this chat has no rooms"}
	case in.To != "":
		return target{}, &Problem{Off, "this chat has no private messages"}
	}
	return target{}, nil
}

// keyOf is under which name a client's id is remembered. With tokens, nobody can use up another's ids.
func (g *Gateway) keyOf(s *socket.Socket, id string) string {
	if g.opts.NameOf == nil {
		return id
	}
	return g.opts.NameOf(s) + "\x00" + id
}

// relay sends a message on, and keeps it. done, if not nil, is called once.
func (g *Gateway) relay(ctx context.Context, s *socket.Socket, _ target, message socketio.Payload, done func(Sent)) {
	store := g.opts.History.Store
	if store == nil {
		g.chat.BroadcastFrom(ctx, MsgToClient, message)
		if done != nil {
			done(Sent{Time: time.Now().UnixMilli()})
		}
		return
	}
	m := history.Message{Payload: message}
	if g.opts.NameOf != nil {
		m.From = g.opts.NameOf(s)
	}
	store.Append(m, receipt(done))                           // first: who has got a message finds it in the history
	_ = g.keptLobby.BroadcastFrom(ctx, MsgToClient, message) // a Payload can be encoded
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

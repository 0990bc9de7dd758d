package chat

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"time"

	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/chat/history"
	"socketio-chat/pkg/chat/once"
	"socketio-chat/pkg/socketio"
)

// How many messages with ids of clients are remembered, those that other instances have relayed included, and for how long.
const (
	rememberedSends = 20_000
	rememberedFor   = 10 * time.Minute
)

// relayedPrefix begins a room that nobody is ever in. A broadcast of a message that may come again leaves it out: so all instances that hear the
// broadcast know that the message was relayed, even if the one that did ends before it could say so in Redis.
const relayedPrefix = "socketio-chat:relayed:"

// marked makes a target that tells of a key. Where instances share no store they do not look for it.
func (g *Gateway) marked(to socketio.Target, key string) socketio.Target {
	if key == "" || g.shared == nil {
		return to
	}
	return to.Except(socket.Room(relayedPrefix + key))
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
		g.relay(ctx, g.outgoing(s, to, message, "", call.Finish))
		return call, nil
	}
	key := g.keyOf(s, in.ID)
	call, first := g.sends.Begin(key)
	if !first {
		return again{call}, nil
	}
	g.claim(ctx, g.outgoing(s, to, message, key, call.Finish))
	return call, nil
}

// keyOf is under which name a client's id is remembered, here and in Redis. With tokens, nobody can use up another's ids.
func (g *Gateway) keyOf(s *socket.Socket, id string) string {
	if g.opts.NameOf != nil {
		id = g.opts.NameOf(s) + "\x00" + id
	}
	sum := sha256.Sum256([]byte(id))
	return base64.RawURLEncoding.EncodeToString(sum[:18])
}

// claim relays a message unless another instance has.
func (g *Gateway) claim(ctx context.Context, m outgoing) {
	if g.shared == nil {
		g.relay(ctx, m)
		return
	}
	claimed, err := g.shared.Claim(ctx, m.key)
	if err != nil || !claimed.Wait {
		g.decide(ctx, m, claimed, err)
		return
	}
	g.waits.Go(func() { // the client's next message need not wait for another instance
		claimed, err := g.shared.Await(m.key)
		g.decide(ctx, m, claimed, err)
	})
}

// decide does what Redis says is to be done with a message that may have come to another instance. Where Redis does not know, because it is away or
// has forgotten, or because the instance that relayed the message has ended before it was kept, what was heard here counts.
func (g *Gateway) decide(ctx context.Context, m outgoing, claimed history.Claimed, err error) {
	if err == nil && claimed.Sent {
		sent := sentAt(claimed.ID)
		sent.Duplicate = true
		m.done(sent)
		return
	}
	if _, first := g.relayed.Begin(m.key); first {
		g.relay(ctx, m)
		return
	}
	done := m.done
	m.done = func(sent Sent) { sent.Duplicate = true; done(sent) }
	if m.to != "" {
		g.settle(m)
		return
	}
	g.keep(m.kept(), m.done)
}

// settle acknowledges a message that is not to be kept, and lets the other instances know that it was relayed.
func (g *Gateway) settle(m outgoing) {
	if m.key != "" && g.shared != nil {
		g.shared.Settle(m.key)
	}
	if m.done != nil {
		m.done(sentAt(history.ID{}))
	}
}

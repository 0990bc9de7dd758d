package chat

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strings"

	"socketio-chat/pkg/chat/history"
	"socketio-chat/pkg/chat/once"
	"socketio-chat/pkg/chat/presence"
	"socketio-chat/pkg/socketio"
)

// gossipEvent is what instances tell each other of presence, by [socketio.Namespace.EmitServers].
const gossipEvent = "socketio-chat:presence"

// extend adds what clients may ask for beyond the seed's two events.
func (g *Gateway) extend() {
	g.keptLobby = g.chat.Everybody().Except(kept)
	g.sends = once.NewWindow[Sent](rememberedSends, rememberedFor)
	g.relayed = once.NewWindow[struct{}](rememberedSends, rememberedFor)
	if g.shared, _ = g.opts.History.Store.(history.Shared); g.shared != nil {
		g.chat.OnReceive(g.received)
	}
	if g.opts.Presence {
		g.tellPresence()
	}
	socketio.OnRequest(g.chat, MsgToServer, g.said)
	socketio.OnRequest(g.chat, EventSend, g.send)
	ask(g, EventFeatures, g.features)
	ask(g, EventHistory, g.past)
	ask(g, EventJoin, g.join)
	ask(g, EventLeave, g.leave)
	ask(g, EventRooms, g.rooms)
	ask(g, EventPresence, g.presence)
	ask(g, EventWatch, g.watch)
	ask(g, EventTyping, g.typing)
}

func (g *Gateway) tellPresence() {
	options := presence.Options{Changed: g.changed, Watched: g.watched}
	if g.opts.Joined != nil {
		options.Joined = g.opts.Joined
		options.Gossip = func(m presence.Gossip) {
			if err := g.chat.EmitServers(gossipEvent, m); err != nil {
				g.sparing.Warn("presence", "the other instances are not told who is here", slog.Any("error", err))
			}
		}
	}
	g.people = newPeople(presence.New(options))
	if g.opts.Joined != nil {
		_ = socketio.OnServer(g.chat, gossipEvent, func(_ context.Context, m presence.Gossip) (struct{}, error) { // fails for reserved names
			g.people.registry.Hear(m)
			return struct{}{}, nil
		})
	}
}

// Farewell tells the other instances that everybody here is gone. It must be called before the server is closed, and may be called again.
func (g *Gateway) Farewell() {
	if g.people != nil {
		g.people.registry.Close()
	}
}

// Close waits for messages that are not kept yet, as long as ctx allows. The server must be closed before. It may be called again.
func (g *Gateway) Close(ctx context.Context) error {
	g.Farewell()
	if g.opts.History.Store == nil {
		return nil
	}
	err := g.opts.History.Store.Close(ctx)
	g.waits.Wait()
	return err
}

var saidPrefix = []byte(`["` + MsgToClient + `",`)

// received hears what other instances, Node's servers and emitters send. What instances keep themselves is marked, and so is what may come again.
func (g *Gateway) received(r socketio.Received) {
	for _, room := range r.Except {
		if key, ok := strings.CutPrefix(string(room), relayedPrefix); ok {
			g.relayed.Begin(key)
		}
	}
	if len(r.Rooms) > 0 || slices.Contains(r.Except, kept) || !bytes.HasPrefix(r.Data.JSON, saidPrefix) {
		return
	}
	list, err := r.Data.Elements()
	if err != nil || len(list) < 2 || bytes.Equal(list[1].JSON, joinNotice.JSON) {
		return
	}
	g.shared.Hear(list[1])
}

// Announce sends a message to everybody, on all instances, as if a client had sent it, and keeps it. It returns when the history has taken it.
func (g *Gateway) Announce(ctx context.Context, message socketio.Payload) Sent {
	told := make(chan Sent, 1)
	if g.opts.History.Store == nil {
		told <- sentAt(history.ID{})
	} else {
		g.keep(history.Message{Payload: message}, func(sent Sent) { told <- sent })
	}
	g.publish(ctx, message, "")
	return <-told
}

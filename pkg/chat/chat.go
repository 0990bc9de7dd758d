// Package chat is the chat itself: whatever a client sends with "msgToServer" goes, as it is, to
// everybody in the namespace /chat as "msgToClient", on all instances; a newcomer is announced.
//
//	client  msgToServer {"name":…,"text":…}   any JSON; no argument is null, several are one array
//	server  msgToClient  the same             to all, the sender included
//	server  msgToClient {"name":"admin","text":"join chat."}   when somebody joins
//
// msgToServer is never acknowledged, but when it is refused, which [Options] decides: Strict and
// NameOf. Without them nothing is. [Options] adds what clients may ask for: with History messages are kept (package history), a client that asks is told so,
// and may send a message again that it had no answer to (package once); Rooms and Presence (package presence) speak for themselves.
// PROTOCOL.md has all events. A Gateway has no goroutines of its own; its
// handlers run on those of the clients' connections.
package chat

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/chat/history"
	"socketio-chat/pkg/chat/once"
	"socketio-chat/pkg/ratelog"
	"socketio-chat/pkg/socketio"
)

// Names on the wire.
const (
	Namespace   = "/chat"
	MsgToServer = "msgToServer"
	MsgToClient = "msgToClient"
)

// Options configures a Gateway.
type Options struct {
	// JoinNotice announces each newcomer to everybody: n clients that come cost n²/2 deliveries.
	JoinNotice bool
	// Strict, if set, is what messages have to be like; nil: anything is sent on, as in the seed.
	Strict *Strict
	// NameOf, if set, is the name of a sender, and stands in each message in place of the name the
	// message claims. Messages that are no objects are refused then, and so is a sender without one.
	NameOf func(*socket.Socket) string
	// History keeps messages, and lets clients ask for them; see PROTOCOL.md. Without it msgToServer is never acknowledged.
	History History
	// Rooms lets clients join rooms, and, with NameOf, write to one person. MayJoin, if set, decides who may join which: any error refuses, a
	// [*Problem] says why. It runs on the goroutine that reads from the client.
	Rooms   bool
	MayJoin func(ctx context.Context, s *socket.Socket, room string) error
	// Presence tells clients who is here, and who types.
	Presence bool
	// Joined tells whether the other instances are reached. Nil: there are none.
	Joined func() bool
	// Logger gets a debug record when a client comes or goes, and warnings, rarely, of messages that
	// are refused. Nil discards them.
	Logger *slog.Logger
}

// Gateway is the chat on one server.
type Gateway struct {
	opts    Options
	chat    *socketio.Namespace
	sparing ratelog.Log
	stats   stats

	keptLobby socketio.Target        // everybody, of a message that is in the history
	sends     *once.Window[Sent]     // that came here
	relayed   *once.Window[struct{}] // that this instance or, as far as it has heard, another has relayed
	shared    history.Shared         // nil: messages are kept here, or nowhere
	people    *people                // nil: presence is off
	waits     sync.WaitGroup         // for other instances
}

var joinNotice = socketio.Payload{JSON: []byte(`{"name":"admin","text":"join chat."}`)}

// New opens the namespace on io. It must be called before io serves, once.
func New(io *socketio.Server, opts Options) *Gateway {
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	g := &Gateway{opts: opts, chat: io.Of(Namespace), sparing: ratelog.Log{Logger: opts.Logger}}
	g.chat.OnConnect(g.connected)
	g.chat.OnDisconnect(g.disconnected)
	if g.opts.History.Store == nil && !g.opts.Rooms && !g.opts.Presence {
		socketio.On(g.chat, MsgToServer, g.message)
	} else {
		g.extend()
	}
	opts.Logger.Debug("Socket Server Init Complete")
	return g
}

func (g *Gateway) connected(ctx context.Context, s *socket.Socket) error {
	if g.opts.Logger.Enabled(context.Background(), slog.LevelDebug) {
		g.opts.Logger.Debug(fmt.Sprintf("%s(%s) is connected!", s.Id(), username(s)))
	}
	g.people.come(s, g.handshakeName(s))
	if g.private() {
		s.Join(userOf(g.opts.NameOf(s)))
	}
	if g.opts.JoinNotice && !s.Recovered() { // a recovered client never left
		g.chat.Announce(ctx, MsgToClient, joinNotice)
	}
	return nil
}

func (g *Gateway) disconnected(_ context.Context, s *socket.Socket, _ string) {
	if g.opts.Logger.Enabled(context.Background(), slog.LevelDebug) {
		g.opts.Logger.Debug(fmt.Sprintf("%s is disconnected...", s.Id()))
	}
	g.people.gone(s)
}

func (g *Gateway) message(ctx context.Context, s *socket.Socket, message socketio.Payload) error {
	message, err := g.check(s, message)
	if err != nil {
		return err
	}
	g.chat.BroadcastFrom(ctx, MsgToClient, message)
	return nil
}

// check returns the message as it is sent on, or an error that tells the sender why it is not.
func (g *Gateway) check(s *socket.Socket, message socketio.Payload) (socketio.Payload, error) {
	if g.opts.NameOf != nil {
		name := g.opts.NameOf(s)
		signed, claimed, ok := named(message, name)
		if !ok || name == "" {
			return message, g.refuse(&g.stats.refusedUnnamed, "unnamed", "a message must be an object that can hold its sender's name")
		}
		if claimed {
			g.stats.namesReplaced.Add(1)
		}
		message = signed
	}
	if g.opts.Strict != nil {
		if problems := g.opts.Strict.problems(message); problems != "" {
			return message, g.refuse(&g.stats.refusedInvalid, "invalid", problems)
		}
	}
	return message, nil
}

// username is what a JavaScript template makes of handshake.query['username'].
func username(s *socket.Socket) string {
	names := s.Handshake().Query["username"]
	if len(names) == 0 {
		return "undefined"
	}
	return strings.Join(names, ",")
}

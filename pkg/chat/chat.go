// Package chat is the chat itself: whatever a client sends with "msgToServer" goes, as it is, to
// everybody in the namespace /chat as "msgToClient", on all instances; a newcomer is announced.
//
//	client  msgToServer {"name":…,"text":…}   any JSON; no argument is null, several are one array
//	server  msgToClient  the same             to all, the sender included
//	server  msgToClient {"name":"admin","text":"join chat."}   when somebody joins
//
// msgToServer is never acknowledged, but when it is refused, which [Options] decides: Strict and
// NameOf. Without them nothing is. A Gateway has no goroutines of its own; its
// handlers run on those of the clients' connections.
package chat

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/zishang520/socket.io/v2/socket"

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
	socketio.On(g.chat, MsgToServer, g.message)
	opts.Logger.Debug("Socket Server Init Complete")
	return g
}

func (g *Gateway) connected(_ context.Context, s *socket.Socket) error {
	if g.opts.Logger.Enabled(context.Background(), slog.LevelDebug) {
		g.opts.Logger.Debug(fmt.Sprintf("%s(%s) is connected!", s.Id(), username(s)))
	}
	if g.opts.JoinNotice && !s.Recovered() { // who was recovered never left
		g.chat.Broadcast(MsgToClient, joinNotice)
	}
	return nil
}

func (g *Gateway) disconnected(_ context.Context, s *socket.Socket, _ string) {
	if g.opts.Logger.Enabled(context.Background(), slog.LevelDebug) {
		g.opts.Logger.Debug(fmt.Sprintf("%s is disconnected...", s.Id()))
	}
}

func (g *Gateway) message(ctx context.Context, s *socket.Socket, message socketio.Payload) error {
	if g.opts.NameOf != nil {
		name := g.opts.NameOf(s)
		signed, claimed, ok := named(message, name)
		if !ok || name == "" {
			return g.refuse(&g.stats.refusedUnnamed, "unnamed", "a message must be an object that can hold its sender's name")
		}
		if claimed {
			g.stats.namesReplaced.Add(1)
		}
		message = signed
	}
	if g.opts.Strict != nil {
		if problems := g.opts.Strict.problems(message); problems != "" {
			return g.refuse(&g.stats.refusedInvalid, "invalid", problems)
		}
	}
	g.chat.BroadcastFrom(ctx, MsgToClient, message)
	return nil
}

// username is what a JavaScript template makes of handshake.query['username'].
func username(s *socket.Socket) string {
	names := s.Handshake().Query["username"]
	if len(names) == 0 {
		return "undefined"
	}
	return strings.Join(names, ",")
}

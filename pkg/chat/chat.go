// Package chat is the chat itself: whatever a client sends with "msgToServer" goes, as it is, to
// everybody in the namespace /chat as "msgToClient", on all instances; a newcomer is announced.
//
//	client  msgToServer {"name":…,"text":…}   any JSON; no argument is null, several are one array
//	server  msgToClient  the same             to all, the sender included
//	server  msgToClient {"name":"admin","text":"join chat."}   when somebody joins
//
// msgToServer is never acknowledged. A Gateway has no goroutines of its own and no state; its
// handlers run on those of the clients' connections.
package chat

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/zishang520/socket.io/v2/socket"

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
	// Logger gets a debug record when a client comes or goes. Nil discards them.
	Logger *slog.Logger
}

// Gateway is the chat on one server.
type Gateway struct {
	opts Options
	chat *socketio.Namespace
}

var joinNotice = socketio.Payload{JSON: []byte(`{"name":"admin","text":"join chat."}`)}

// New opens the namespace on io. It must be called before io serves, once.
func New(io *socketio.Server, opts Options) *Gateway {
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	g := &Gateway{opts: opts, chat: io.Of(Namespace)}
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
	if g.opts.JoinNotice {
		g.chat.Broadcast(MsgToClient, joinNotice)
	}
	return nil
}

func (g *Gateway) disconnected(_ context.Context, s *socket.Socket, _ string) {
	if g.opts.Logger.Enabled(context.Background(), slog.LevelDebug) {
		g.opts.Logger.Debug(fmt.Sprintf("%s is disconnected...", s.Id()))
	}
}

func (g *Gateway) message(_ context.Context, _ *socket.Socket, message socketio.Payload) error {
	g.chat.Broadcast(MsgToClient, message)
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

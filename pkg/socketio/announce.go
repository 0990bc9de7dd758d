package socketio

import (
	"context"

	"github.com/zishang520/engine.io/v2/types"
	"github.com/zishang520/socket.io-go-parser/v2/parser"
	"github.com/zishang520/socket.io/v2/socket"
)

// Announce is Broadcast for what a socket's OnConnect tells of it, with the ctx that OnConnect got. Here it
// goes to those that had joined when the socket did, itself included, and not to those that have joined
// while its hook ran: they came after it, and Node, where nobody joins while a connection is handled, tells
// them nothing either. So n clients that join at once hear n(n+1)/2 announcements. Other instances cannot
// tell, and send it to all their members.
func (ns *Namespace) Announce(ctx context.Context, event string, args ...any) {
	l, ok := ctx.(*link)
	if !ok {
		l, ok = ctx.Value(linkKey{}).(*link)
	}
	if !ok || ns.local == nil {
		ns.Broadcast(event, args...)
		return
	}
	opts := &socket.BroadcastOptions{
		Rooms: types.NewSet[socket.Room](), Except: types.NewSet[socket.Room](), Flags: &socket.BroadcastFlags{},
	}
	defer ns.local.upTo(l, opts)()
	data := append(make([]any, 0, 1+len(args)), event)
	ns.Adapter().Broadcast(&parser.Packet{Type: parser.EVENT, Nsp: ns.Name(), Data: append(data, args...)}, opts)
}

package adminui

import (
	"context"
	"log/slog"
	"slices"

	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/socketio"
)

// errCommand is told to a page that sends nonsense, or to a client that plays one.
var errCommand = &socketio.Exception{Message: "arguments of the command are missing, of the wrong type or too long"}

// command is what the page asks for: emit, join, leave or _disconnect. A filter is a room, most often
// that of one socket; "": all sockets of the namespace.
//
//	emit         namespace, filter, event, arguments …
//	join, leave  namespace, room, filter
//	_disconnect  namespace, whether to close the connection, filter
type command struct {
	name string
	args []socketio.Payload
}

// obey registers the commands; they reach the sockets of all instances.
func (u *UI) obey() {
	for _, name := range []string{"emit", "join", "leave", "_disconnect"} {
		socketio.On(u.ns, name, func(_ context.Context, s *socket.Socket, in socketio.Payload) error {
			args, err := in.Elements()
			if err != nil || len(args) < 2 {
				return errCommand
			}
			return u.do(s, command{name, args})
		})
	}
}

// maxName bounds a namespace, a room, a filter and the name of an event, in bytes: pages are told of a room once for each socket that enters.
const maxName = 1000

// text reads an argument that is a string, or, if it may be absent, "".
func (c command) text(i int, may bool) (string, error) {
	if may && (i >= len(c.args) || c.args[i].IsNull()) {
		return "", nil
	}
	var text string
	if i >= len(c.args) || c.args[i].Decode(&text) != nil || text == "" && !may || len(text) > maxName {
		return "", errCommand
	}
	return text, nil
}

func (u *UI) do(s *socket.Socket, c command) error {
	nsp, err := c.text(0, false)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(u.namespaces(), func(n socketio.NamespaceStats) bool { return n.Name == nsp }) {
		return &socketio.Exception{Message: "no such namespace on this instance"}
	}
	ns := u.io.Of(nsp)
	var room, filter string
	switch c.name {
	case "emit":
		filter, err = c.text(1, true)
		if err != nil {
			return err
		}
		if err = u.emit(ns, filter, c); err != nil {
			return err
		}
	case "_disconnect":
		var whole bool
		if c.args[1].Decode(&whole) != nil {
			return errCommand
		}
		if filter, err = c.text(2, true); err != nil {
			return err
		}
		target(ns, filter).DisconnectSockets(whole)
	default:
		if room, err = c.text(1, false); err != nil {
			return err
		}
		if filter, err = c.text(2, true); err != nil {
			return err
		}
		if c.name == "join" {
			target(ns, filter).SocketsJoin(socket.Room(room))
		} else {
			target(ns, filter).SocketsLeave(socket.Room(room))
		}
	}
	u.log.Info("admin UI: command", slog.String("command", c.name), slog.String("namespace", nsp),
		slog.String("filter", filter), slog.String("admin", string(s.Id())))
	return nil
}

func (u *UI) emit(ns *socketio.Namespace, filter string, c command) error {
	event, err := c.text(2, false)
	if err != nil {
		return err
	}
	args := make([]any, 0, len(c.args)-3)
	for _, a := range c.args[3:] {
		args = append(args, a)
	}
	if err := target(ns, filter).Emit(event, args...); err != nil {
		return &socketio.Exception{Message: err.Error()} // a reserved name
	}
	return nil
}

// target selects the sockets of a room, or all.
func target(ns *socketio.Namespace, filter string) *socket.BroadcastOperator {
	if filter == "" {
		return ns.Except()
	}
	return ns.In(socket.Room(filter))
}

package adminui

import (
	"context"
	"encoding/json"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/zishang520/engine.io/v2/events"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/engineio"
	"socketio-chat/pkg/socketio"
)

// Carrier is Socket.Data that is not a map and can yet tell other instances about its socket.
type Carrier interface {
	// CarryAdmin returns a copy whose JSON is an object with about as its member "_admin".
	CarryAdmin(about json.RawMessage) any
}

// about is that member.
type about struct {
	ClientID  string `json:"clientId"`
	Transport string `json:"transport"`
}

// clientIDLength is how much of a connection's id the page is told: the whole is the key to it.
const clientIDLength = 12

func aboutOf(s *socket.Socket) about {
	id := s.Conn().Id()
	return about{ClientID: id[:min(len(id), clientIDLength)], Transport: s.Conn().Transport().Name()}
}

// watch is what development mode knows of a namespace.
type watch struct {
	name    string
	mu      sync.Mutex
	polling map[socket.SocketId]*socket.Socket // may be upgraded
}

// watchAll follows the namespaces that there are, and those to come.
func (u *UI) watchAll() {
	for _, n := range u.namespaces() {
		u.watch(n.Name)
	}
	_ = u.io.IO().On("new_namespace", func(args ...any) {
		if nsp, ok := args[0].(socket.Namespace); ok {
			u.watch(nsp.Name())
		}
	})
}

func (u *UI) watch(name string) {
	w := &watch{name: name, polling: map[socket.SocketId]*socket.Socket{}}
	if _, known := u.watched.LoadOrStore(name, w); known {
		return
	}
	ns := u.io.Of(name)
	ns.OnConnect(func(_ context.Context, s *socket.Socket) error {
		u.connected(w, s)
		return nil
	})
	ns.OnDisconnect(func(_ context.Context, s *socket.Socket, reason string) {
		w.mu.Lock()
		delete(w.polling, s.Id())
		w.mu.Unlock()
		u.tell("socket_disconnected", name, s.Id(), reason, now())
	})
	for event, told := range map[events.EventName]string{"join-room": "room_joined", "leave-room": "room_left"} {
		_ = ns.Adapter().On(event, func(args ...any) {
			if len(args) >= 2 {
				u.tell(told, name, args[0], args[1], now())
			}
		})
	}
}

func (u *UI) connected(w *watch, s *socket.Socket) {
	told := aboutOf(s) // once: it may be upgraded at any time
	carry(s, told)
	u.tell("socket_connected", show(s, w.name, told), now())
	if told.Transport == engineio.Polling {
		w.mu.Lock()
		w.polling[s.Id()] = s
		w.mu.Unlock()
	}
	if w.name == u.ns.Name() {
		return // what pages are told would be told to pages
	}
	s.OnAny(func(args ...any) { u.tellEvent("event_received", w.name, s.Id(), withoutAck(args), now()) })
	s.OnAnyOutgoing(func(args ...any) { u.tellEvent("event_sent", w.name, s.Id(), withoutAck(args), now()) })
}

// carry puts what other instances are to know of a socket into its data.
func carry(s *socket.Socket, told about) {
	member, err := json.Marshal(told)
	if err != nil {
		return // strings always encode
	}
	switch data := s.Data().(type) {
	case nil:
		s.SetData(map[string]any{adminMember: json.RawMessage(member)})
	case map[string]any:
		with := make(map[string]any, len(data)+1)
		for k, v := range data {
			with[k] = v
		}
		with[adminMember] = json.RawMessage(member)
		s.SetData(with)
	case Carrier:
		s.SetData(data.CarryAdmin(member))
	}
}

// withoutAck copies the arguments of an event, without the function that acknowledges it.
func withoutAck(args []any) []any {
	if n := len(args); n > 0 && reflect.ValueOf(args[n-1]).Kind() == reflect.Func {
		args = args[:n-1]
	}
	return slices.Clone(args)
}

// upgrades tells of sockets that have gone over to WebSocket. Nothing else says so.
func (u *UI) upgrades() {
	u.watched.Range(func(_, v any) bool {
		w := v.(*watch)
		w.mu.Lock()
		defer w.mu.Unlock()
		for id, s := range w.polling {
			if told := aboutOf(s); told.Transport != engineio.Polling {
				delete(w.polling, id)
				carry(s, told)
				u.tell("socket_updated", updated(string(id), w.name, told.Transport))
			}
		}
		return true
	})
}

// sendSockets tells one page of all sockets, of all instances. When some do not answer in time, it is
// told of the others.
func (u *UI) sendSockets(to *socket.Socket) {
	asked := map[string][]socket.Room{}
	for _, n := range u.namespaces() {
		asked[n.Name] = nil
	}
	all := u.lookAt(asked)
	if u.ctx.Err() != nil {
		return
	}
	_ = to.Emit("all_sockets", all) // no reserved name
	u.sendUpgrades(to, all)
}

// sendUpgrades looks once more at those that a list said to poll. The page may have heard of an upgrade before it had the list, and what all
// pages are told of one is in the socket's data before.
func (u *UI) sendUpgrades(to *socket.Socket, list []shown) {
	polled, asked := map[string][]socket.Room{}, map[string][]socket.Room{}
	for _, s := range list {
		if s.Transport == engineio.Polling {
			polled[s.Nsp] = append(polled[s.Nsp], socket.Room(s.ID)) // which it alone is in
		}
	}
	for _, n := range u.namespaces() { // it may be gone
		if rooms := polled[n.Name]; len(rooms) > 0 {
			asked[n.Name] = rooms
		}
	}
	for _, s := range u.lookAt(asked) {
		if s.Transport != engineio.Polling {
			_ = to.Emit("socket_updated", updated(s.ID, s.Nsp, s.Transport))
		}
	}
}

// updated is what pages are told of an upgrade.
func updated(id, nsp, transport string) map[string]any {
	return map[string]any{"id": id, "nsp": nsp, "transport": transport}
}

// lookAt returns the sockets in rooms of namespaces, those of all instances that answer in time. Without rooms it is all of a namespace.
func (u *UI) lookAt(asked map[string][]socket.Room) []shown {
	all := []shown{}
	var mu sync.Mutex
	var looking sync.WaitGroup
	for name, rooms := range asked {
		ns := u.io.Of(name)
		looking.Go(func() {
			list := u.look(ns, rooms)
			mu.Lock()
			defer mu.Unlock()
			all = append(all, list...)
		})
	}
	looking.Wait()
	return all
}

// lookTimeout is beyond that of cluster adapters.
const lookTimeout = 10 * time.Second

func (u *UI) look(ns *socketio.Namespace, rooms []socket.Room) (list []shown) {
	ctx, cancel := context.WithTimeout(u.ctx, lookTimeout)
	defer cancel()
	sockets, _ := ns.Everybody().In(rooms...).Sockets(ctx) // where some instances do not answer, it is those of the others
	for _, s := range sockets {
		var known about
		if here, ok := ns.Sockets().Load(s.Id()); ok {
			known = aboutOf(here) // its data may not tell yet
		}
		list = append(list, show(s, ns.Name(), known))
	}
	return list
}

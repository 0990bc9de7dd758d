package chat

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/chat/presence"
	"socketio-chat/pkg/socketio"
)

// maxName bounds the name under which somebody is shown, in characters.
const maxName = 64

// people knows the names of this instance's sockets, and tells the registry. Nil: presence is off. Of guests who are in no room it keeps nothing.
type people struct {
	registry *presence.Registry

	mu   sync.Mutex
	byID map[socket.SocketId]*person
}

// A person is a socket with a name or rooms.
type person struct {
	name  string
	known bool     // the name is the handshake's or the token's, and stays
	rooms []string // besides the lobby
	typed time.Time
}

func newPeople(r *presence.Registry) *people {
	return &people{registry: r, byID: map[socket.SocketId]*person{}}
}

// come counts a socket that has connected. name may be "".
func (p *people) come(s *socket.Socket, name string) {
	if p == nil {
		return
	}
	name = shorten(name)
	var rooms []string
	if s.Recovered() { // others have joined nothing yet
		rooms = roomsOf(s)
	}
	if name != "" || len(rooms) > 0 {
		p.mu.Lock()
		p.byID[s.Id()] = &person{name: name, known: name != "", rooms: rooms}
		p.mu.Unlock()
	}
	for _, room := range append([]string{""}, rooms...) {
		p.registry.Enter(room, name)
	}
}

// gone counts one that has disconnected.
func (p *people) gone(s *socket.Socket) {
	if p == nil {
		return
	}
	p.mu.Lock()
	who := p.byID[s.Id()]
	delete(p.byID, s.Id())
	p.mu.Unlock()
	if who == nil {
		p.registry.Leave("", "")
		return
	}
	for _, room := range append([]string{""}, who.rooms...) {
		p.registry.Leave(room, who.name)
	}
}

func (p *people) ofLocked(s *socket.Socket) *person {
	who := p.byID[s.Id()]
	if who == nil {
		who = &person{}
		p.byID[s.Id()] = who
	}
	return who
}

func (p *people) enter(s *socket.Socket, room string) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	who := p.ofLocked(s)
	who.rooms = append(who.rooms, room)
	p.registry.Enter(room, who.name)
}

func (p *people) leave(s *socket.Socket, room string) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	who := p.ofLocked(s)
	if i := slices.Index(who.rooms, room); i >= 0 {
		who.rooms = slices.Delete(who.rooms, i, i+1)
		p.registry.Leave(room, who.name)
	}
}

// says learns the name of somebody who has not told it otherwise from a message. It reads none of somebody whose name stays; call looks again.
func (p *people) says(s *socket.Socket, message socketio.Payload) {
	if p == nil || p.knows(s) {
		return
	}
	if name, ok := nameIn(message); ok {
		p.call(s, name)
	}
}

// knows tells whether the name of a socket stays, whatever it says.
func (p *people) knows(s *socket.Socket) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	who := p.byID[s.Id()]
	return who != nil && who.known
}

// call gives a socket a name, unless it has one that stays. It returns the name it has.
func (p *people) call(s *socket.Socket, name string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	who := p.byID[s.Id()]
	if who != nil && (who.known || who.name == name) || who == nil && name == "" {
		if who == nil {
			return ""
		}
		return who.name
	}
	if name = shorten(name); name == "" {
		if who == nil {
			return ""
		}
		return who.name
	}
	who = p.ofLocked(s)
	if who.name != name {
		p.registry.Rename(append([]string{""}, who.rooms...), who.name, name)
		who.name = name
	}
	return name
}

func (p *people) connections(room string) int {
	if p == nil {
		return 0
	}
	return p.registry.Connections(room)
}

// mayType tells whether a socket has not told that it types for a while.
func (p *people) mayType(s *socket.Socket, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	who := p.ofLocked(s)
	if now.Sub(who.typed) < typingPause {
		return false
	}
	who.typed = now
	return true
}

// nameIn is the member name of a message, if it is a string; of several the last, as receivers take it.
func nameIn(message socketio.Payload) (name string, ok bool) {
	members, _ := message.Members()
	for m := range members {
		if m.Name == "name" && m.Value[0] == '"' {
			ok = socketio.Payload{JSON: m.Value}.Decode(&name) == nil
		}
	}
	return name, ok
}

func shorten(name string) string {
	name = strings.TrimSpace(name)
	if !tooLong(name, maxName) {
		return name
	}
	end := 0
	for range maxName {
		_, n := utf8.DecodeRuneInString(name[end:])
		end += n
	}
	return name[:end]
}

// handshakeName is the name of a newcomer: that of the token, or what it says with its handshake.
func (g *Gateway) handshakeName(s *socket.Socket) string {
	if g.opts.NameOf != nil {
		return g.opts.NameOf(s)
	}
	h := s.Handshake()
	if auth, ok := h.Auth.(map[string]any); ok {
		if name, ok := auth["username"].(string); ok {
			return name
		}
	}
	if names := h.Query["username"]; len(names) > 0 {
		return names[0]
	}
	return ""
}

var errNoPresence = &Problem{Off, "this chat does not tell who is here"}

// here is the answer who is in a room, encoded once for all who ask about the same time.
type here struct{ json []byte }

func (h here) wire() any { return socketio.Payload{JSON: h.json} }

func (g *Gateway) presence(_ context.Context, s *socket.Socket, in PresenceRequest) (here, error) {
	if err := g.maySee(s, in.Room); err != nil {
		return here{}, err
	}
	return here{g.people.registry.Encoded(in.Room)}, nil
}

// maySee tells whether somebody may know who is in a room.
func (g *Gateway) maySee(s *socket.Socket, room string) error {
	if g.people == nil {
		return errNoPresence
	}
	if !g.isIn(s, room) {
		return errNotJoined
	}
	return nil
}

func (g *Gateway) watch(_ context.Context, s *socket.Socket, in WatchRequest) (here, error) {
	if err := g.maySee(s, in.Room); err != nil {
		return here{}, err
	}
	if in.Watch != nil && !*in.Watch {
		s.Leave(watchOf(in.Room))
	} else {
		s.Join(watchOf(in.Room)) // before the snapshot: what changes after it is told
	}
	return here{g.people.registry.First(in.Room)}, nil
}

// watched and changed are called by the registry.
func (g *Gateway) watched(room string) bool { return g.chat.CountIn(watchOf(room)) > 0 }

func (g *Gateway) changed(c presence.Change) {
	_ = g.chat.Everybody().Local().In(watchOf(c.Room)).Broadcast(EventChange, c) // it can be encoded
}

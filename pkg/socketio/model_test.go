package socketio

import (
	"fmt"
	"slices"
	"strings"
)

// A model is what Socket.IO promises, written down as plainly as can be: where everybody is, and what each client and each listener hears next. The
// server's side of it is newModelServer. It has no clocks, no goroutines and no bytes.
type model struct {
	clients []*modelClient
	ids     map[string]uint64 // by namespace: of the latest question
	came    int               // sockets there ever were
	gone    []string          // what the listeners of "disconnect" have heard
}

type modelClient struct {
	protocol int
	open     bool
	sockets  []*modelSocket // in the order in which they joined
	left     map[string]bool
	heard    []string
}

type modelSocket struct {
	client *modelClient
	nsp    string
	number int
	rooms  []string
	asked  []uint64 // questions that wait for an answer
}

// What the namespaces of a model are.
const (
	modelRoot    = "/"
	modelStatic  = "/a"
	modelDynamic = "/dyn-1"   // matched by a regular expression
	modelLocked  = "/locked"  // a middleware refuses everybody
	modelNowhere = "/nowhere" // there is none
)

func newModel(protocols []int) *model {
	m := &model{ids: map[string]uint64{}}
	for _, p := range protocols {
		m.clients = append(m.clients, &modelClient{protocol: p})
	}
	return m
}

func prefixOf(nsp string) string { return strings.TrimPrefix(nsp+",", "/,") }

func (c *modelClient) hear(packet string) { c.heard = append(c.heard, packet) }

func (s *modelSocket) hear(event string) { s.client.hear("2" + prefixOf(s.nsp) + event) }

func (c *modelClient) in(nsp string) *modelSocket {
	for _, s := range c.sockets {
		if s.nsp == nsp {
			return s
		}
	}
	return nil
}

// members are the sockets of a namespace that are in one of the rooms (all if there are none) and in none of except.
func (m *model) members(nsp string, rooms []string, except ...string) (list []*modelSocket) {
	in := func(s *modelSocket, rooms []string) bool {
		return slices.ContainsFunc(rooms, func(r string) bool { return slices.Contains(s.rooms, r) })
	}
	for _, c := range m.clients {
		if s := c.in(nsp); s != nil && (len(rooms) == 0 || in(s, rooms)) && !in(s, except) {
			list = append(list, s)
		}
	}
	return list
}

// connect is an Engine.IO connection.
func (m *model) connect(c *modelClient) {
	c.open, c.sockets, c.left = true, nil, map[string]bool{}
	if c.protocol == 3 { // it is in "/" unasked
		m.join(c, modelRoot)
	}
}

// join answers a CONNECT.
func (m *model) join(c *modelClient, nsp string) {
	switch {
	case c.in(nsp) != nil && c.protocol == 3 && nsp == modelRoot:
	case c.in(nsp) != nil:
		m.end(c, "forced server close")
	case nsp == modelLocked && c.protocol == 3:
		c.hear(`4/locked,"locked"`)
	case nsp == modelLocked:
		c.hear(`4/locked,{"message":"locked"}`)
	case nsp == modelNowhere && c.protocol == 3:
		c.hear(`4/nowhere,"Invalid namespace"`)
	case nsp == modelNowhere:
		c.hear(`4/nowhere,{"message":"Invalid namespace"}`)
	default:
		if c.protocol == 3 {
			c.hear("0" + prefixOf(nsp))
		} else {
			c.hear("0" + prefixOf(nsp) + "{sid}")
		}
		m.came++
		s := &modelSocket{client: c, nsp: nsp, number: m.came, rooms: []string{"lobby"}}
		c.sockets = append(c.sockets, s)
		for _, o := range m.members(nsp, []string{"lobby"}) {
			o.hear(fmt.Sprintf(`["came",%d]`, s.number))
		}
	}
}

// leave ends a socket, for a reason that its listeners hear.
func (m *model) leave(s *modelSocket, reason string) {
	slices.Sort(s.rooms)
	m.gone = append(m.gone, fmt.Sprintf("%s %d %v %s", s.nsp, s.number, s.rooms, reason))
	s.client.sockets = slices.DeleteFunc(s.client.sockets, func(o *modelSocket) bool { return o == s })
	s.client.left[s.nsp] = true
}

// kick is leave when the server says so.
func (m *model) kick(s *modelSocket) {
	s.client.hear("1" + prefixOf(s.nsp))
	m.leave(s, "server namespace disconnect")
}

// end is the end of a connection.
func (m *model) end(c *modelClient, reason string) {
	for len(c.sockets) > 0 {
		m.leave(c.sockets[0], reason)
	}
	c.open = false
}

// unjoined is a packet for a namespace that the client is not in: a mistake, unless the server had just put it out.
func (m *model) unjoined(c *modelClient, nsp string) {
	if c.protocol != 3 && !c.left[nsp] {
		m.end(c, "forced server close")
	}
}

// An op is something that a client or the application does.
type op struct {
	kind   string
	client int
	nsp    string
	room   string
	n      int
}

func (o op) String() string {
	return fmt.Sprintf("%s %d %s %s %d", o.kind, o.client, o.nsp, o.room, o.n)
}

// skip leaves out what the model does not describe: of a client of protocol 4 that has left "/" Node 2 thinks otherwise than Node 4.
func (o op) skip(m *model) bool {
	c := m.clients[o.client]
	rootOfThree := c.protocol == 3 && o.nsp == modelRoot
	switch o.kind {
	case "open":
		return c.open
	case "leave", "kick", "rejoin":
		return !c.open || rootOfThree
	case "hasty": // those who are refused get what they deserve at a time of its own
		return !c.open || rootOfThree || o.nsp == modelLocked || o.nsp == modelNowhere
	case "server kicks":
		return o.nsp == modelRoot
	case "server says", "server joins", "server leaves":
		return false
	}
	return !c.open
}

// do is what happens then.
func (m *model) do(o op) {
	c := m.clients[o.client]
	switch o.kind {
	case "open":
		m.connect(c)
	case "cut":
		m.end(c, "transport close")
	case "nonsense":
		m.end(c, "forced close")
	case "join":
		m.join(c, o.nsp)
	case "hasty":
		m.join(c, o.nsp)
		if c.open {
			m.act(c.in(o.nsp), op{kind: "say", nsp: o.nsp, n: o.n})
			m.leave(c.in(o.nsp), "client namespace disconnect")
			m.join(c, o.nsp)
			m.act(c.in(o.nsp), op{kind: "echo", nsp: o.nsp, n: o.n})
		}
	case "server says":
		for _, s := range m.members(o.nsp, nil, o.room) {
			s.hear(fmt.Sprintf(`["server",%d]`, o.n))
		}
	case "server joins":
		for _, s := range m.members(o.nsp, []string{o.room}) {
			s.enter("drafted")
		}
	case "server leaves":
		for _, s := range m.members(o.nsp, nil) {
			s.exit(o.room)
		}
	case "server kicks":
		for _, s := range m.members(o.nsp, []string{o.room}) {
			m.kick(s)
		}
	default:
		if s := c.in(o.nsp); s != nil {
			m.act(s, o)
		} else {
			m.unjoined(c, o.nsp)
			if o.kind == "rejoin" && c.open {
				m.join(c, o.nsp)
			}
		}
	}
}

func (s *modelSocket) enter(room string) {
	if !slices.Contains(s.rooms, room) {
		s.rooms = append(s.rooms, room)
	}
}

func (s *modelSocket) exit(room string) {
	s.rooms = slices.DeleteFunc(s.rooms, func(r string) bool { return r == room })
}

// act is what a client does in a namespace that it is in.
func (m *model) act(s *modelSocket, o op) {
	c := s.client
	switch o.kind {
	case "leave":
		m.leave(s, "client namespace disconnect")
	case "rejoin":
		m.leave(s, "client namespace disconnect")
		m.join(c, o.nsp)
	case "enter":
		s.enter(o.room)
	case "exit":
		s.exit(o.room)
	case "echo":
		c.hear(fmt.Sprintf("3%s%d[%d]", prefixOf(o.nsp), o.n, o.n))
	case "echo binary":
		c.hear(fmt.Sprintf("61-%s%d[%s]", prefixOf(o.nsp), o.n, ph0))
		c.hear(fmt.Sprintf("b:%d", o.n))
	case "say", "volatile":
		for _, to := range m.members(o.nsp, nil) {
			to.hear(fmt.Sprintf(`["said",%d]`, o.n))
		}
	case "say binary":
		for _, to := range m.members(o.nsp, nil) {
			to.client.hear(fmt.Sprintf(`51-%s["said",%s]`, prefixOf(o.nsp), ph0))
			to.client.hear(fmt.Sprintf("b:%d", o.n))
		}
	case "others":
		for _, to := range m.members(o.nsp, nil) {
			if to != s {
				to.hear(fmt.Sprintf(`["other",%d]`, o.n))
			}
		}
	case "to room":
		for _, to := range m.members(o.nsp, []string{o.room, "blue"}, "drafted") {
			to.hear(fmt.Sprintf(`["in",%d]`, o.n))
		}
	case "ask":
		m.ids[o.nsp]++
		s.asked = append(s.asked, m.ids[o.nsp])
		s.hear(fmt.Sprintf(`%d["q",%d]`, m.ids[o.nsp], o.n))
	case "answer":
		if len(s.asked) > 0 {
			s.asked = s.asked[1:]
			s.hear(fmt.Sprintf(`["thanks",%d]`, o.n))
		}
	case "wrong": // see TestModelFindsFaults
		s.hear("what no server says")
	case "kick":
		m.kick(s)
	case "kill":
		for len(c.sockets) > 0 {
			m.kick(c.sockets[0])
		}
		m.end(c, "")
	}
}

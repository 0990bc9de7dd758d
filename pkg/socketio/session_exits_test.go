package socketio

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/zishang520/socket.io/v2/socket"
)

// A life is one session, brought into a state, and what it touches.
type life struct {
	*LocalAdapter
	t      *testing.T
	server *testServer
	s      *session
	link   *link // its latest holder
	told   []string
	over   bool // an event has ended the connection
}

const lifePid = "life-of-its-own"

var (
	stateNames = map[sessionState]string{
		sessionOpening: "opening", sessionAttached: "attached", sessionLeaving: "leaving", sessionParked: "parked", sessionReturning: "returning", sessionEnded: "ended",
	}
	exitNames = map[sessionExit]string{
		exitLeft: "left", exitRefused: "refused", exitExpired: "expired", exitCrowded: "crowded", exitHandedOver: "handed over", exitStored: "stored", exitClosed: "closed",
	}
)

// newLife makes a session that is in a state.
func newLife(t *testing.T, server *testServer, in sessionState) *life {
	a := server.Of("/" + t.Name()).Adapter().(*LocalAdapter)
	v := &life{LocalAdapter: a, t: t, server: server}
	v.link = v.newLink()
	v.register(v.link, "sid", noOffset)
	v.s = v.link.member.session
	if in == sessionOpening {
		return v
	}
	v.activate(v.link, nil, lifePid)
	v.hasPrefix()
	if in == sessionAttached {
		return v
	}
	v.breaks()
	if in == sessionLeaving {
		return v
	}
	v.through(v.link)
	v.closed(v.link)
	switch in {
	case sessionReturning:
		v.link = v.newLink()
		v.restore(arrival{link: v.link, offset: noOffset}, lifePid)
		v.register(v.link, "sid", noOffset)
	case sessionEnded:
		v.mu.Lock()
		v.sessions.end(v.s, exitLeft)
		v.mu.Unlock()
	}
	return v
}

// hasPrefix makes it one that came from another instance, with an event that its client had missed there.
func (v *life) hasPrefix() {
	v.mu.Lock()
	defer v.mu.Unlock()
	e, _ := (&HandedPacket{ID: PacketID{7, 7}.String(), Text: `2["before"]`}).entry()
	v.s.prefix, v.s.prefixSize, v.s.prefixUntil = []entry{e}, 100, time.Now().UnixMilli()+100_000
	v.sessions.shared.account(100, 0)
}

// end takes it off the accounts.
func (v *life) end() {
	v.endRecovery()
	v.mu.Lock()
	defer v.mu.Unlock()
	v.sessions.end(v.s, exitClosed)
}

// newLink makes one whose connection is a real one.
func (v *life) newLink() *link {
	before := v.server.snapshot()
	v.server.dial(v.t, 4, "")
	for _, c := range v.server.snapshot() {
		known := false
		for _, other := range before {
			known = known || c == other
		}
		if !known {
			sock := socket.MakeSocket()
			sock.SetData("what it was")
			return &link{conn: c, eio: c.eio, name: v.name, sock: sock}
		}
	}
	v.t.Fatal("no connection came")
	return nil
}

// breaks ends the connection, as the library hears of it.
func (v *life) breaks() {
	v.disconnect()
	v.park(v.link, true, nil)
}

func (v *life) disconnect() {
	v.link.eio.Discard()
	v.over = true
}

// closes lets the library come to the end of closing the socket.
func (v *life) closes() {
	v.link.member.closing = max(v.link.member.closing, 1)
	v.closed(v.link)
}

func (v *life) asks(offset string) {
	_, why := v.restore(arrival{link: v.newLink(), offset: offset}, lifePid)
	v.tell("asked: " + why.String())
}

func (v *life) askedByAnother(offset string) {
	h, why := v.TakeSession(lifePid, offset, nil, 0, "instance", time.Now().Add(time.Millisecond))
	v.tell("asked: " + why.String())
	if (h != nil) != (why == NotRefused) {
		v.t.Errorf("refused as %v, and handed %+v", why, h)
	}
	if to, _ := v.MovedTo(lifePid); to != "" {
		v.tell("moved to " + to)
	}
}

func (v *life) tell(what string) { v.told = append(v.told, what) }

// long lets the time pass after which sessions expire, without the wait.
func (v *life) long() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.s.awaySince -= 200_000
	v.s.prefixUntil -= 200_000
	for i := range v.sessions.away {
		v.sessions.away[i].at -= 200_000
	}
}

func (v *life) expireAll() {
	v.mu.Lock()
	v.tickLocked()
	v.mu.Unlock()
	v.expire()
}

// lifeEvents are what may happen to a session. Each is tried in each state.
var lifeEvents = map[string]func(*life){
	"answered":                  func(v *life) { v.activate(v.link, nil, lifePid) },
	"answered, connection over": func(v *life) { v.disconnect(); v.activate(v.link, nil, lifePid) },
	"answered, what it missed is cut": func(v *life) {
		v.BroadcastEncoded(Encoded{Data: raw(`["x"]`)}, nil)
		v.CutRecovery()
		v.activate(v.link, nil, lifePid)
	},
	"connection breaks":                 func(v *life) { v.breaks() },
	"leaves":                            func(v *life) { v.park(v.link, false, nil) },
	"socket closed":                     func(v *life) { v.closes() },
	"library through":                   func(v *life) { v.through(v.link) },
	"library through, socket closed":    func(v *life) { v.through(v.link); v.closes() },
	"taken out":                         func(v *life) { v.withdraw(v.link) },
	"taken out, connection over":        func(v *life) { v.disconnect(); v.withdraw(v.link) },
	"client asks":                       func(v *life) { v.asks(noOffset) },
	"client asks, wrong offset":         func(v *life) { v.asks("nothing") },
	"client asks, too late":             func(v *life) { v.long(); v.asks(noOffset) },
	"other instance asks":               func(v *life) { v.askedByAnother(noOffset) },
	"other instance asks, wrong offset": func(v *life) { v.askedByAnother("nothing") },
	"other instance asks, too late":     func(v *life) { v.long(); v.askedByAnother(noOffset) },
	"clock":                             func(v *life) { v.expireAll() },
	"clock, too late":                   func(v *life) { v.long(); v.expireAll() },
	"no room":                           func(v *life) { v.crowd() },
	"stored":                            func(v *life) { v.stores(func() {}) },
	"stored while client asks":          func(v *life) { v.stores(func() { v.asks(noOffset) }) },
	"instance ends":                     func(v *life) { v.endRecovery() },
	"events lost":                       func(v *life) { v.hears(3) }, // the second one is
	"events complete":                   func(v *life) { v.hears(2) },
}

// asked is what comes of asking for a session that somebody has: its connection is ended, and it is asked for until that is heard of.
func asked(result string) map[string]string {
	out := map[string]string{}
	for _, by := range []string{"client asks", "other instance asks"} {
		for _, how := range []string{"", ", wrong offset", ", too late"} {
			out[by+how] = result
		}
	}
	return out
}

// lifeTable says what comes of each event in each state: where the session is then, and what else is seen. Events that are not in it do
// nothing in that state, and nobody hears of them.
var lifeTable = map[sessionState]map[string]string{
	sessionOpening: with(asked("opening, asked: unknown"), map[string]string{
		"answered":                        "attached",
		"answered, what it missed is cut": "attached",
		"connection breaks":               "left", // nobody could ask for it
		"leaves":                          "left",
		"taken out":                       "left",
		"taken out, connection over":      "left",
		"stored while client asks":        "opening, asked: unknown",
	}),
	sessionAttached: with(asked("attached, asked: timeout, connection closed"), map[string]string{
		"connection breaks":          "leaving",
		"leaves":                     "left",
		"taken out":                  "left",
		"taken out, connection over": "leaving",
		"stored while client asks":   "attached, asked: timeout, connection closed",
		"events lost":                "refused, refused: cut, connection closed",
		"clock, too late":            "attached, has all of the prefix",
	}),
	sessionLeaving: with(asked("leaving, asked: timeout"), map[string]string{
		"library through, socket closed": "parked",
		"clock, too late":                "expired",
		"no room":                        "crowded",
		"stored":                         "stored, 1 dumped",
		"stored while client asks":       "stored, asked: timeout, 1 dumped",
		"instance ends":                  "closed",
		"events lost":                    "refused, refused: cut",
	}),
	sessionParked: {
		"client asks":                       "returning, asked: none",
		"client asks, wrong offset":         "refused, asked: offset",
		"client asks, too late":             "expired, asked: expired",
		"other instance asks":               "handed over, asked: none, moved to instance",
		"other instance asks, wrong offset": "refused, asked: offset",
		"other instance asks, too late":     "expired, asked: expired",
		"clock, too late":                   "expired",
		"no room":                           "crowded",
		"stored":                            "stored, 1 dumped",
		"stored while client asks":          "returning, asked: none, 1 dumped, late",
		"instance ends":                     "closed",
		"events lost":                       "refused, refused: cut",
	},
	sessionReturning: with(asked("returning, asked: timeout, connection closed"), map[string]string{
		"answered":                        "attached",
		"answered, what it missed is cut": "refused, refused: cut, connection closed",
		"connection breaks":               "leaving",
		"leaves":                          "left",
		"taken out":                       "left",
		"taken out, connection over":      "leaving",
		"stored while client asks":        "returning, asked: timeout, connection closed",
		"events lost":                     "refused, refused: cut, connection closed",
	}),
	sessionEnded: with(asked("ended, asked: unknown"), map[string]string{
		"stored while client asks": "ended, asked: unknown",
	}),
}

// with adds rows to others.
func with(rows, more map[string]string) map[string]string {
	maps.Copy(rows, more)
	return rows
}

// TestExitsOfSessions tries each event in each state.
func TestExitsOfSessions(t *testing.T) {
	server := newTestServer(t, recovering(Options{Recovery: Recovery{Wait: time.Millisecond}}))
	for in, name := range stateNames {
		for event := range lifeTable[in] {
			if lifeEvents[event] == nil {
				t.Errorf("there is no event %q", event)
			}
		}
		for event, happens := range lifeEvents {
			t.Run(name+"/"+event, func(t *testing.T) {
				v := newLife(t, server, in)
				defer v.end() // the accounts are the server's
				want, ok := lifeTable[in][event]
				if !ok {
					want = name
				}
				var woken <-chan struct{}
				if in != sessionParked && in != sessionEnded {
					v.mu.Lock()
					woken, _ = v.sessions.awaits(v.s)
					v.mu.Unlock()
				}
				v.over = !v.link.eio.Open()
				refused := v.sessions.shared.refused[RefusedCut].Load()
				happens(v)
				if got := v.now(in, woken, refused); got != want {
					t.Errorf("%s, want %s", got, want)
				}
			})
		}
	}
}

// crowd lets another session go away when there is no room for two.
func (v *life) crowd() {
	was := v.sessions.shared.cfg.Bytes
	defer func() { v.sessions.shared.cfg.Bytes = was }()
	l := v.newLink()
	v.register(l, "another", noOffset)
	v.activate(l, nil, "pid of another")
	v.sessions.shared.cfg.Bytes = 1
	v.park(l, true, nil)
	v.sessions.shared.cfg.Bytes = was
	v.mu.Lock()
	defer v.mu.Unlock()
	v.sessions.end(v.sessions.byPID["pid of another"], exitLeft)
}

// stores leaves sessions to others, while something else happens.
func (v *life) stores(meanwhile func()) {
	d := v.dump()
	meanwhile()
	if d == nil {
		return
	}
	v.tell(fmt.Sprintf("%d dumped", len(d.Sessions)))
	if late := v.forget(d); len(late) > 0 {
		v.tell("late")
	}
}

// hears lets an event of an instance be the first of it that comes here: the session came from one that had heard its first.
func (v *life) hears(number uint64) {
	v.s.skip = map[uint64]uint64{OriginOf("third"): 1}
	v.BroadcastReceived(Encoded{Data: raw(`["x"]`)}, nil, "third", number)
}

// now describes where the session is, and what else has changed.
func (v *life) now(was sessionState, woken <-chan struct{}, refused uint64) string {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.sessions.check(v.t)
	out := []string{stateNames[v.s.state]}
	if v.s.state == sessionEnded && was != sessionEnded {
		out[0] = exitNames[v.s.exit]
	}
	out = append(out, v.told...)
	if v.s.prefix == nil && v.s.base == (PacketID{7, 7}).String() {
		out = append(out, "has all of the prefix")
	}
	if n := v.sessions.shared.refused[RefusedCut].Load() - refused; n > 0 {
		out = append(out, "refused: cut")
	}
	if !v.over && !v.link.eio.Open() {
		out = append(out, "connection closed")
	}
	select {
	case <-woken:
		if v.s.state == was {
			v.t.Errorf("those that wait were woken, and it is %s as before", stateNames[was])
		}
	default:
		if woken != nil && v.s.state != was {
			v.t.Errorf("nobody heard that it is %s", out[0])
		}
	}
	return strings.Join(out, ", ")
}

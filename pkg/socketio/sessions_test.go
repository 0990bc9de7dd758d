package socketio

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/zishang520/engine.io/v2/types"
	"github.com/zishang520/socket.io/v2/socket"
)

var lifeSeed = flag.Uint64("life.seed", 0, "seed of the random lives of sessions, 0: another one each time")

func randomLife(t *testing.T) *rand.Rand {
	seed := *lifeSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("again with -life.seed %d", seed)
	return rand.New(rand.NewPCG(seed, 1))
}

// check fails unless what is kept about sessions agrees with itself.
func (r *sessions) check(tb testing.TB) {
	tb.Helper()
	bytes, count := int64(0), int64(0)
	ownerless, owners := 0, map[string]int{}
	for pid, s := range r.byPID {
		bytes += s.prefixSize
		if OwnerOf(pid) == "" {
			ownerless++
		}
		if s.adopted {
			owners[OwnerOf(pid)]++
		}
		switch {
		case s.pid != pid, s.state == sessionOpening, s.state == sessionEnded, s.exit != exitNone:
			tb.Errorf("session %s is known as %s in state %d, ended by %d", s.pid, pid, s.state, s.exit)
		case (s.state == sessionParked) != (s.link == nil):
			tb.Errorf("session %s in state %d is held: %v", pid, s.state, s.link != nil)
		case s.state == sessionLeaving && (s.link.member.held != s || r.leaving[s.sid] != s):
			tb.Errorf("session %s is leaving a link that does not know it", pid)
		case (s.state == sessionAttached || s.state == sessionReturning) && s.link.member.session != s:
			tb.Errorf("session %s in state %d is not its link's", pid, s.state)
		}
		if s.isAway() {
			bytes += s.size
			count++
		}
	}
	for _, s := range r.leaving {
		if s.state != sessionLeaving || r.byPID[s.pid] != s {
			tb.Errorf("session %s in state %d is listed as leaving", s.pid, s.state)
		}
	}
	if r.ownerless != ownerless || !maps.Equal(r.owners, owners) {
		tb.Errorf("%d ids that name no owner, of others %v; counted are %d, %v", ownerless, owners, r.ownerless, r.owners)
	}
	if got := int64(len(r.listAway())); got != count {
		tb.Errorf("%d sessions are away, %d will expire", count, got)
	}
	if r.shared.parkedBytes.Load() != bytes || r.shared.sessions.Load() != count {
		tb.Errorf("accounted for %d bytes, %d sessions; there are %d, %d", r.shared.parkedBytes.Load(), r.shared.sessions.Load(), bytes, count)
	}
}

// TestLives lets sessions live at random, and compares with what a session is to its client: it is
// somebody's, or nobody's, or over.
func TestLives(t *testing.T) {
	r := newSessions(newRecovery(recovering(Options{})))
	random := randomLife(t)
	type client struct {
		s    *session
		link *link // the latest
	}
	var clients []*client
	newLink := func() *link { return &link{conn: &conn{}} }
	waiting := map[*session]<-chan struct{}{}
	woken := func(s *session, want bool) {
		if c := waiting[s]; c != nil {
			select {
			case <-c:
				delete(waiting, s)
			default:
				if want {
					t.Errorf("nobody heard that session %s changed", s.pid)
				}
			}
		}
	}
	now := int64(1_000_000)
	for step := range 20_000 {
		now += random.Int64N(3)
		if len(clients) < 20 && random.IntN(4) == 0 {
			c := &client{link: newLink()}
			r.open(c.link, socket.SocketId(fmt.Sprint("sid", step)), "")
			c.s = c.link.member.session
			clients = append(clients, c)
			pid := socket.PrivateSessionId(fmt.Sprint("pid", step))
			if random.IntN(2) == 0 { // an owner and 24 characters
				pid = socket.PrivateSessionId(OriginText(fmt.Sprint(step%3)) + fmt.Sprintf("%024d", step))
			}
			switch random.IntN(5) {
			case 0:
				r.end(c.s, exitLeft) // before it was answered
			case 1: // it comes from another instance
				c.link = newLink()
				c.s = &session{sid: c.s.sid, pid: pid}
				r.adopt(c.s, c.link)
			default:
				r.name(c.s, pid, 1)
			}
			continue
		}
		if len(clients) == 0 {
			continue
		}
		i := random.IntN(len(clients))
		c := clients[i]
		before := c.s.state
		switch op := random.IntN(8); {
		case before == sessionEnded:
			clients = append(clients[:i], clients[i+1:]...)
		case op == 0 && before == sessionParked:
			c.link = newLink()
			r.claim(c.s, c.link)
		case op == 1 && before == sessionReturning:
			r.attach(c.s)
		case op == 2 && (before == sessionAttached || before == sessionReturning):
			c.link.member.closing = random.Int32N(3)
			c.link.member.through = random.IntN(2) == 0
			r.leave(c.link, now)
		case op == 3 && before == sessionLeaving:
			if c.link.member.closing > 0 {
				c.link.member.closing--
			} else {
				c.link.member.through = true
			}
			r.letGo(c.link)
		case op == 4 && random.IntN(5) == 0:
			r.end(c.s, exitHandedOver)
		case op == 5:
			if change, _ := r.awaits(c.s); change != nil {
				waiting[c.s] = change
			}
		case op == 6 && random.IntN(20) == 0:
			now += 200_000
			r.expire(now)
			if c.s.isAway() {
				t.Errorf("session %s is away for longer than it may be", c.s.pid)
			}
		}
		woken(c.s, c.s.state != before)
		if done := c.link.member.closing == 0 && c.link.member.through; c.s.isAway() && done != (c.s.state == sessionParked) {
			t.Errorf("away in state %d from %+v", c.s.state, c.link.member)
		}
		r.check(t)
		if t.Failed() {
			t.Fatalf("step %d", step)
		}
	}
}

// slowAdapter gives way to others where the library takes sockets out.
type slowAdapter struct{ *LocalAdapter }

func (a slowAdapter) DelAll(id socket.SocketId) {
	for range 50 {
		runtime.Gosched()
	}
	a.LocalAdapter.DelAll(id)
}

type slowBuilder struct{}

func (slowBuilder) New(nsp socket.Namespace) socket.Adapter {
	a := slowAdapter{NewLocalAdapter()}
	a.Prototype(a)
	a.Construct(nsp)
	return a
}

// TestLivesOfClients: whatever clients do, and the application does to them meanwhile, each that comes
// back is a member of its namespace, and nothing is left of those that do not.
func TestLivesOfClients(t *testing.T) {
	s := newTestServer(t, recovering(Options{Adapter: slowBuilder{}}))
	ns := s.Of("/chat")
	ns.OnConnect(func(context.Context, *socket.Socket) error { runtime.Gosched(); return nil })
	random := randomLife(t)
	var wg sync.WaitGroup
	for range 6 {
		mine := rand.New(rand.NewPCG(random.Uint64(), 2))
		wg.Go(func() {
			c := s.newComer(t, "/chat")
			for range 40 {
				switch mine.IntN(6) {
				case 0:
					c.cut()
				case 1: // asks and does not wait
					c.cut()
					c.testClient = s.dial(t, 4, "")
					c.ask()
					c.cut()
				case 2:
					c.send("1/chat,")
				case 3: // the application disconnects just when the connection ends
					sock, ok := ns.Sockets().Load(socket.SocketId(c.sid))
					go func(c net.Conn) { c.Close() }(c.conn)
					if ok {
						sock.Disconnect(false)
					}
				case 4:
					go func(c net.Conn) { c.Close() }(c.conn)
				}
				defer c.conn.Close()  // a client that has left the namespace only is connected still
				for !c.member(t, s) { // the connection before this one took the session back: the server heard of it later
				}
			}
			c.cut()
		})
	}
	wg.Wait()
	eventually(t, "no socket is left, and no session is held", func() bool {
		ns.local.mu.Lock()
		defer ns.local.mu.Unlock()
		return s.Engine().Len() == 0 && ns.Sockets().Len() == 0 && len(ns.local.byID) == 0 && len(ns.local.sessions.leaving) == 0
	})
	ns.local.mu.Lock()
	defer ns.local.mu.Unlock()
	ns.local.sessions.check(t)
	for pid, one := range ns.local.sessions.byPID {
		if one.state != sessionParked {
			t.Errorf("session %s is in state %d", pid, one.state)
		}
	}
	if n := len(s.recovery.arrivals.byTicket); n != 0 {
		t.Errorf("%d tickets are left", n)
	}
}

// member connects, and reports whether an event to the client's room alone came next.
func (c *comer) member(tb testing.TB, s *testServer) bool {
	tb.Helper()
	c.testClient = s.dial(tb, 4, "")
	c.ask()
	m, err := c.tryRead()
	if err != nil {
		return false
	}
	var answer struct{ Sid, Pid string }
	if rest, ok := strings.CutPrefix(m, "40/chat,"); !ok || json.Unmarshal([]byte(rest), &answer) != nil || answer.Pid == "" {
		tb.Errorf("got %q, want the answer to CONNECT", m)
		return true
	}
	c.sid, c.pid = answer.Sid, answer.Pid
	s.Of("/chat").local.Broadcast(packetOf("ping"), &socket.BroadcastOptions{Rooms: types.NewSet(socket.Room(c.sid))})
	if m, err = c.tryRead(); err != nil {
		if errors.Is(err, os.ErrDeadlineExceeded) {
			tb.Errorf("%s is not in its room", c.sid)
			return true
		}
		return false
	}
	if got := c.keep(m[1:]); got != `["ping"]` {
		tb.Errorf("got %q", m)
	}
	return true
}

// heldPeers have one session, and give it when they may.
type heldPeers struct {
	asked chan socket.PrivateSessionId
	give  chan *HandedSession
}

func (p heldPeers) Take(pid socket.PrivateSessionId, _ string, _ time.Time) (*HandedSession, uint64, Refusal) {
	p.asked <- pid
	return <-p.give, 1, NotRefused
}
func (heldPeers) Lost() bool { return false }

func (heldPeers) Heard() time.Time { return time.Now() }

// TestSessionBehindAnOriginIsEnded: a session came from an instance that had heard five events of a third
// one. The first of that which comes here is the eighth: nobody knows the two in between.
func TestSessionBehindAnOriginIsEnded(t *testing.T) {
	for first, ended := range map[uint64]bool{6: false, 8: true} {
		s := newTestServer(t, recovering(Options{}))
		a := localAdapter(s.Of("/chat").Adapter())
		peers := heldPeers{make(chan socket.PrivateSessionId, 1), make(chan *HandedSession, 1)}
		a.SetPeers(peers)
		c := &comer{server: s, nsp: "/chat", sid: "sid", pid: "from elsewhere"}
		peers.give <- &HandedSession{
			Sid: "sid", Pid: "from elsewhere", Rooms: []socket.Room{"sid"}, Seen: map[string]uint64{OriginText("third"): 5}, Foreign: -1, Since: 100_000,
		}
		if !c.connect(t, s) {
			t.Fatal("not recovered")
		}
		a.BroadcastReceived(Encoded{Data: raw(`["x"]`)}, nil, "third", first)
		if !ended {
			c.wantEvents(`["x"]`)
			continue
		}
		c.wantClosed()
		if refused(s, RefusedCut) != 1 {
			t.Errorf("stats %+v", s.RecoveryStats())
		}
	}
}

// TestConnectionEndsWhileItsSessionIsAskedFor: a CONNECT behind a DISCONNECT asks another instance for its
// session, and the connection is gone when that is there. It waits for its client as any other.
func TestConnectionEndsWhileItsSessionIsAskedFor(t *testing.T) {
	s := newTestServer(t, recovering(Options{}))
	ns := s.Of("/chat")
	a := localAdapter(ns.Adapter())
	peers := heldPeers{make(chan socket.PrivateSessionId), make(chan *HandedSession)}
	a.SetPeers(peers)
	connected, release := make(chan struct{}, 1), make(chan struct{})
	ns.OnConnect(func(context.Context, *socket.Socket) error { connected <- struct{}{}; <-release; return nil })
	c := &comer{testClient: s.dial(t, 4, ""), server: s, nsp: "/chat"}
	c.send("0/chat,{}")
	receive(t, connected)
	c.send("1/chat,") // waits in the backlog, and so does the CONNECT: both are handled on the library's goroutine
	c.pid, c.sid = "from elsewhere", "sid"
	c.ask()
	eventually(t, "both wait", func() bool {
		for _, c := range s.snapshot() {
			c.mu.Lock()
			l := c.linkLocked("/chat")
			waits := l != nil && l.backlog != nil && len(l.backlog.queue) == 2
			c.mu.Unlock()
			return waits
		}
		return false
	})
	close(release)
	receive(t, peers.asked)
	c.cut()
	eventually(t, "the connection has ended", func() bool { return s.Engine().Len() == 0 })
	peers.give <- &HandedSession{Sid: "sid", Pid: "from elsewhere", Rooms: []socket.Room{"sid"}, Seen: map[string]uint64{}, Foreign: -1, Since: 100_000}
	eventually(t, "the session is parked", func() bool {
		a.mu.Lock()
		defer a.mu.Unlock()
		one := a.sessions.byPID["from elsewhere"]
		return one != nil && one.state == sessionParked
	})
	if !c.connect(t, s) {
		t.Error("not recovered")
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sessions.check(t)
}

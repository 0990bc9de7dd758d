package socketio

import (
	"time"

	"github.com/zishang520/socket.io/v2/socket"
)

// sessionState is where a session is in its life. Only the methods of sessions change it:
//
//	         answered           connection broke           let go
//	opening ─────────► attached ─────────────────► leaving ──────► parked
//	                       ▲                          ▲              │
//	                       │ answered                 │ connection   │ claimed
//	                       │                          │ broke        │
//	                       └────────────────────── returning ◄───────┘
//
// From each of them it may end, in one of the ways that sessionExit names.
type sessionState uint8

const (
	sessionOpening   sessionState = iota // the CONNECT of a new client is not answered yet; nobody can ask for it
	sessionAttached                      // a socket has it
	sessionLeaving                       // its connection broke, but the library is not through with its socket
	sessionParked                        // nobody has it, its client may come back
	sessionReturning                     // its client has come back, and the CONNECT is not answered yet
	sessionEnded
)

// sessionExit is how a session ended.
type sessionExit uint8

const (
	exitNone       sessionExit = iota // it has not
	exitLeft                          // the client or the server left the namespace, or a middleware refused who came back
	exitRefused                       // its client asked for something that is not kept
	exitExpired                       // its client was away for too long
	exitCrowded                       // there was no room for it among those that are away
	exitHandedOver                    // another instance has it
	exitStored                        // it is left in Redis, this instance ends
	exitClosed                        // this instance has ended
)

// sessions owns the lives of a namespace's sessions. Guarded by the adapter's lock.
//
// A session has at most one holder, a link: from opening or returning on until the library is through
// with the link's socket. The library knows sockets by their ids, and a recovered socket has the id of
// the one before it: were a session given away earlier, what the library does last with the old
// socket would hit the new one.
type sessions struct {
	shared  *recovery
	byPID   map[socket.PrivateSessionId]*session // all but those that are opening
	leaving map[socket.SocketId]*session         // those that are leaving, for their sockets' last calls
	away    []awaySession                        // leaving or parked, the oldest first; stale ones stay until their turn comes
	moved   moved                                // where sessions went
	// ownerless is how many sessions have private ids that name no owner: older instances gave them out.
	ownerless int
	// owners counts the sessions that came here from other instances, by the owners that their private ids name: this instance, too,
	// for those that began here, left and came back.
	owners map[string]int
	timer  *time.Timer // forgets what is too old; runs while there is something
}

// awaySession is a session that went away at a time, in Unix ms: for the turn-th time.
type awaySession struct {
	*session
	at   int64
	turn uint64
}

// still tells whether it has not come back since.
func (p awaySession) still() bool { return p.isAway() && p.session.turn == p.turn }

func newSessions(r *recovery) sessions {
	return sessions{
		shared: r, byPID: map[socket.PrivateSessionId]*session{}, leaving: map[socket.SocketId]*session{}, owners: map[string]int{},
		moved: moved{to: map[socket.PrivateSessionId]movedSession{}},
	}
}

// open begins the session of a new client.
func (r *sessions) open(l *link, sid socket.SocketId, base string) {
	l.member.session = &session{sid: sid, link: l, base: base}
}

// name makes an opening session known under its private id: the CONNECT with that is queued.
func (r *sessions) name(s *session, pid socket.PrivateSessionId, head uint64) {
	s.pid, s.start = pid, head
	r.byPID[pid] = s
	if OwnerOf(pid) == "" {
		r.ownerless++
	}
	r.attach(s)
}

// attach notes that the answer to the CONNECT of an opening or returning session is queued.
func (r *sessions) attach(s *session) { s.enterState(sessionAttached) }

// adopt takes in a session of another instance, whose client l has come back to this one.
func (r *sessions) adopt(s *session, l *link) {
	r.byPID[s.pid] = s
	if OwnerOf(s.pid) == "" {
		r.ownerless++
	}
	s.adopted = true
	r.owners[OwnerOf(s.pid)]++
	r.moved.forget(s.pid)
	r.hold(s, l)
}

// claim gives a parked session to the link of its client.
func (r *sessions) claim(s *session, l *link) {
	r.shared.account(-s.size, -1)
	r.hold(s, l)
}

func (r *sessions) hold(s *session, l *link) {
	s.link, l.member.session = l, s
	s.enterState(sessionReturning)
}

// leave takes a session from a link whose connection broke: its client may come back until the
// session expires, which was away already since that time.
func (r *sessions) leave(l *link, since int64) {
	s := l.member.session
	l.member.session, l.member.replay = nil, nil
	l.member.held, r.leaving[s.sid] = s, s
	s.awaySince, s.size = since, s.estimate()
	s.enterState(sessionLeaving)
	r.shared.account(s.size, 1)
	r.shared.parked.Add(1)
	s.turn++
	r.away = append(r.away, awaySession{s, since, s.turn})
	for len(r.away) > 1 && r.shared.parkedBytes.Load() > r.shared.cfg.Bytes/2 { // half of all bytes is theirs at most
		r.endOldest(exitCrowded)
	}
	r.letGo(l)
}

// letGo parks the session that a link holds, if the library is through with its socket.
func (r *sessions) letGo(l *link) {
	s := l.member.held
	if s == nil || !l.member.through || l.member.closing > 0 {
		return
	}
	l.member.held, s.link = nil, nil
	delete(r.leaving, s.sid)
	s.enterState(sessionParked)
}

// end forgets a session.
func (r *sessions) end(s *session, how sessionExit) {
	switch s.state {
	case sessionEnded:
		return
	case sessionLeaving:
		delete(r.leaving, s.sid)
		s.link.member.held = nil
		r.shared.account(-s.size, -1)
	case sessionParked:
		r.shared.account(-s.size, -1)
	default:
		s.link.member.session, s.link.member.replay = nil, nil
	}
	r.dropPrefix(s)
	s.link, s.exit = nil, how
	if r.byPID[s.pid] == s {
		delete(r.byPID, s.pid)
		if OwnerOf(s.pid) == "" {
			r.ownerless--
		}
		if owner := OwnerOf(s.pid); s.adopted {
			if r.owners[owner]--; r.owners[owner] == 0 {
				delete(r.owners, owner)
			}
		}
	}
	s.enterState(sessionEnded)
}

// dropPrefix forgets what another instance handed over with a session: its client has got it, or will
// be refused.
func (r *sessions) dropPrefix(s *session) {
	r.shared.account(-s.prefixSize, 0)
	s.prefix, s.prefixSize, s.prefixUntil = nil, 0, 0
}

// endOldest ends the session that is away for longest, if it still is.
func (r *sessions) endOldest(how sessionExit) {
	p := r.away[0]
	r.away[0] = awaySession{}
	r.away = r.away[1:]
	if p.still() {
		r.end(p.session, how)
	}
}

// isAway tells whether nobody is there for a session.
func (s *session) isAway() bool { return s.state == sessionLeaving || s.state == sessionParked }

// listAway returns the sessions that are away, the oldest first.
func (r *sessions) listAway() (list []*session) {
	for _, p := range r.away {
		if p.still() {
			list = append(list, p.session)
		}
	}
	return list
}

// expire ends what is too old, and reports whether there is more to come.
func (r *sessions) expire(now int64) (more bool) {
	keep := r.shared.cfg.For.Milliseconds()
	for len(r.away) > 0 && r.away[0].at+keep < now {
		r.endOldest(exitExpired)
	}
	r.moved.expire(now - keep)
	for _, s := range r.byPID {
		switch {
		case s.prefixUntil == 0:
		case s.prefixUntil < now && s.state == sessionAttached:
			if n := len(s.prefix); n > 0 { // a client that got nothing since has got all of it
				s.base = s.prefix[n-1].id.String()
			}
			r.dropPrefix(s)
		default:
			more = true
		}
	}
	return more || len(r.away) > 0 || r.moved.len() > 0
}

// awaits returns what has to happen before a session can be claimed, nil: nothing. A connection that
// still has it has to end.
func (r *sessions) awaits(s *session) (change <-chan struct{}, holder *conn) {
	if s == nil || s.state == sessionParked {
		return nil, nil
	}
	if s.changed == nil {
		s.changed = make(chan struct{})
	}
	if s.state != sessionLeaving {
		holder = s.link.conn
	}
	return s.changed, holder
}

// enterState wakes those who wait for a change.
func (s *session) enterState(to sessionState) {
	s.state = to
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
}

// moved remembers for a while where sessions went that were handed over: their private ids name this
// instance, and their clients may turn up at a third one. Of those that ended it remembers why: the instance that
// asked may have given the question up before it was answered.
type moved struct {
	to    map[socket.PrivateSessionId]movedSession
	order []movedSession // the oldest first; stale ones stay until their turn comes
}

type movedSession struct {
	pid    socket.PrivateSessionId
	origin string  // of the instance that has it
	why    Refusal // if it has ended: with which refusal
	at     int64   // Unix ms
}

// maxMoved bounds how many are remembered: about 10 MB.
const maxMoved = 1 << 16

func (m *moved) note(pid socket.PrivateSessionId, origin string, now int64) {
	if origin != "" {
		m.add(movedSession{pid: pid, origin: origin, at: now})
	}
}

// end notes that a session has ended with a refusal.
func (m *moved) end(pid socket.PrivateSessionId, why Refusal, now int64) {
	m.add(movedSession{pid: pid, why: why, at: now})
}

func (m *moved) add(e movedSession) {
	m.to[e.pid] = e
	m.order = append(m.order, e)
	if len(m.order) > maxMoved {
		m.pop()
	}
}

func (m *moved) pop() {
	e := m.order[0]
	m.order[0] = movedSession{}
	m.order = m.order[1:]
	if m.to[e.pid] == e {
		delete(m.to, e.pid)
	}
}

func (m *moved) expire(before int64) {
	for len(m.order) > 0 && m.order[0].at < before {
		m.pop()
	}
}

func (m *moved) forget(pid socket.PrivateSessionId) { delete(m.to, pid) }

func (m *moved) len() int { return len(m.order) }

package socketio

import (
	"time"

	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/engineio"
)

// enableRecovery is called once, before the adapter has sockets.
func (a *LocalAdapter) enableRecovery(r *recovery) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.journal, a.sessions = newJournal(r), newSessions(r)
}

// Recovers tells whether connection state recovery is on. It is known once a [Server] has the adapter.
func (a *LocalAdapter) Recovers() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.journal != nil
}

// RecoversFor is how long a client may be away, 0 if recovery is off.
func (a *LocalAdapter) RecoversFor() time.Duration {
	if !a.Recovers() {
		return 0
	}
	return a.journal.shared.cfg.For
}

// PersistSession does nothing: sessions are parked when "disconnecting" is emitted, whose reason is
// the true one.
func (a *LocalAdapter) PersistSession(*socket.SessionToPersist) {}

// RestoreSession finds the session of a client that comes back, here or on another instance, and
// claims it. It may wait; the library calls it on the goroutine of the client's CONNECT. ticket stands
// for what the client said, see arrivals.
func (a *LocalAdapter) RestoreSession(pid socket.PrivateSessionId, ticket string) (*socket.Session, error) {
	if a.journal == nil { // static by now
		return nil, nil
	}
	r := a.journal.shared
	arrival, ok := r.arrivals.find(ticket)
	if !ok {
		return nil, nil
	}
	s, why := a.restore(arrival, pid)
	if s == nil {
		r.refuse(a.name, why, arrival.link.conn.RemoteAddress())
		return nil, nil
	}
	return s.library(), nil
}

func (a *LocalAdapter) restore(from arrival, pid socket.PrivateSessionId) (s *session, why Refusal) {
	if len(pid) > maxOffset || len(from.offset) > maxOffset { // nothing that we gave out
		return nil, RefusedUnknown
	}
	deadline := time.Now().Add(a.journal.shared.cfg.Wait)
	a.checkLost()
	why = a.claim(pid, from.offset, deadline, from.link.eio, func(found *session) {
		a.sessions.claim(found, from.link)
		s = found
	})
	if why == RefusedUnknown && a.peers != nil {
		return a.claimRemote(from, pid, deadline)
	}
	return s, why
}

// claim waits until a session of this instance can be given away, and calls take, with the lock held,
// once that is so and its cursor is set. Should its connection not be known to be dead, that is ended
// first: nothing is sent to it any more, and what was sent after offset did not arrive. It ends early
// when the connection by (nil: none) of its client does.
func (a *LocalAdapter) claim(pid socket.PrivateSessionId, offset string, deadline time.Time, by *engineio.Conn, take func(*session)) Refusal {
	timeout := time.NewTimer(time.Until(deadline))
	defer timeout.Stop()
	var gone <-chan struct{}
	for {
		a.mu.Lock()
		s := a.sessions.byPID[pid]
		change, holder := a.sessions.awaits(s)
		if change == nil {
			defer a.mu.Unlock()
			return a.claimLocked(s, offset, take)
		}
		a.mu.Unlock()
		if holder != nil {
			holder.eio.Discard()
		}
		if gone == nil && by != nil {
			gone = by.Done()
		}
		select {
		case <-change:
		case <-gone:
			return RefusedTimeout
		case <-timeout.C:
			return RefusedTimeout
		}
	}
}

func (a *LocalAdapter) claimLocked(s *session, offset string, take func(*session)) (why Refusal) {
	if s == nil {
		return RefusedUnknown
	}
	if s.expired(a.journal.shared.cfg.For, time.Now().UnixMilli()) {
		a.sessions.end(s, exitExpired)
		return RefusedExpired
	}
	if s.next, why = s.locate(offset, a.journal); why != NotRefused {
		a.refuseLocked(s, why)
		return why
	}
	take(s)
	return NotRefused
}

// refuseLocked ends a session with a refusal.
func (a *LocalAdapter) refuseLocked(s *session, why Refusal) {
	a.sessions.end(s, exitRefused)
	a.sessions.moved.end(s.pid, why, time.Now().UnixMilli())
	a.tickLocked()
}

// park keeps the session of a link whose connection broke, or ends it. It is called each time when the
// library begins to close the link's socket; closed follows each time.
func (a *LocalAdapter) park(l *link, keep bool, data any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	l.member.closing++
	s := l.member.session
	switch {
	case s == nil:
	case !keep || s.state == sessionOpening:
		a.sessions.end(s, exitLeft)
	default:
		s.data = data
		a.awayLocked(l, time.Now().UnixMilli())
	}
}

// closed is called when the library has closed a link's socket.
func (a *LocalAdapter) closed(l *link) {
	a.mu.Lock()
	defer a.mu.Unlock()
	l.member.closing--
	a.sessions.letGo(l)
}

// through is called when the library will do nothing more with a link's socket, but for what it is
// doing between park and closed.
func (a *LocalAdapter) through(l *link) {
	a.mu.Lock()
	defer a.mu.Unlock()
	l.member.through = true
	a.sessions.letGo(l)
}

// staleLocked tells whether a DelAll for the id of l comes from the socket that had the id before: the
// library called Disconnect for it just when its connection ended. l's own is closing then, or its
// connection is. (When a middleware refuses a socket, its connection is open still: the refusal does it.)
func (a *LocalAdapter) staleLocked(l *link) bool {
	if a.journal == nil {
		return false
	}
	if !l.sock.Connected() {
		l.member.through = true
	}
	return l.member.closing == 0 && l.conn.eio.Open()
}

// awayLocked lets a session leave its link, which was away since then.
func (a *LocalAdapter) awayLocked(l *link, since int64) {
	a.sessions.leave(l, since)
	a.tickLocked()
}

// tickLocked makes sure that what is too old is forgotten although nothing happens.
func (a *LocalAdapter) tickLocked() {
	if a.sessions.timer == nil {
		a.sessions.timer = time.AfterFunc(a.journal.shared.cfg.For/4+time.Second, a.expire)
	}
}

func (a *LocalAdapter) expire() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.sessions.timer == nil { // stopped
		return
	}
	a.sessions.timer = nil
	now := time.Now().UnixMilli()
	more := a.sessions.expire(now)
	a.journal.expire(now)
	if more || len(a.journal.list) > 0 {
		a.tickLocked()
	}
}

// endRecovery forgets everything.
func (a *LocalAdapter) endRecovery() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.journal == nil {
		return
	}
	for len(a.sessions.away) > 0 {
		a.sessions.endOldest(exitClosed)
	}
	if a.sessions.timer != nil {
		a.sessions.timer.Stop()
		a.sessions.timer = nil
	}
	a.journal.cut()
}

// enrollLocked gives a socket its session: the one that its client came back to, or a new one that began
// when the client had got offset. It returns what happened to rooms: a recovered socket is in its rooms
// at once.
func (a *LocalAdapter) enrollLocked(l *link, id socket.SocketId, offset string) (changes []roomEvent) {
	s := l.member.session
	if s == nil {
		if offset == noOffset || len(offset) > maxOffset {
			offset = ""
		}
		a.sessions.open(l, id, offset)
		return nil
	}
	for _, room := range s.rooms() {
		created := a.rooms[room] == nil && !a.ownedLocked(room)
		if !a.indexLocked(l, room) {
			continue
		}
		changes = enterEvents(changes, id, room, created)
	}
	return changes
}

// maxOffset bounds what a client calls an offset, or a private session id.
const maxOffset = 64

// unenrollLocked is called when a socket leaves the namespace and its session has not left it. That
// waits for the client's next try if the connection broke.
func (a *LocalAdapter) unenrollLocked(l *link) {
	s := l.member.session
	switch {
	case s == nil:
	case l.conn.eio.Open():
		a.sessions.end(s, exitLeft)
	case s.state == sessionReturning: // its client never heard of it: it expires when it would have
		a.awayLocked(l, s.awaySince)
	case s.state == sessionAttached:
		s.data = l.sock.Data()
		a.awayLocked(l, time.Now().UnixMilli())
	default:
		a.sessions.end(s, exitLeft)
	}
}

// withdraw takes out a socket that the library is not through with: it may never be, if a middleware
// does not answer.
func (a *LocalAdapter) withdraw(l *link) {
	watched := len(a.snapshot()) > 0
	a.mu.Lock()
	if a.byID[l.member.id] != l {
		a.mu.Unlock()
		return
	}
	changes := a.delAllLocked(l, watched)
	a.mu.Unlock()
	a.emitRooms(changes)
}

// admitLocked queues the answer to a CONNECT and what a recovered client missed. It reports false if
// the socket cannot take part: the connection is over, or has to end.
func (a *LocalAdapter) admitLocked(l *link, answer []*engineio.Frame, pid socket.PrivateSessionId) bool {
	s := l.member.session
	if s == nil || s.state != sessionReturning {
		if !l.conn.send(answer, nil) {
			return false
		}
		if s != nil && s.state == sessionOpening && pid != "" {
			s.joined = l.member.joined
			a.sessions.name(s, pid, a.journal.head())
		}
		return true
	}
	r := a.journal.shared
	l.member.joined = s.joined
	frames, more, ok := a.missedLocked(s, r.queueHalf, answer)
	if !ok {
		// Forgotten since it was claimed, and the library believes in it already: the client has to come
		// once more, and begins anew.
		a.sessions.end(s, exitRefused)
		r.refuse(a.name, RefusedCut, l.conn.RemoteAddress())
		l.conn.eio.Close()
		return false
	}
	if !l.conn.send(frames, nil) {
		return false
	}
	r.recovered.Add(1)
	s.data = nil
	a.sessions.attach(s)
	if more {
		l.member.replay = &replay{}
		r.running.Add(1)
		go a.catchUp(l, s)
	}
	return true
}

package socketio

import (
	"time"

	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/engineio"
)

// sessions are the sessions of a namespace. Guarded by the adapter's lock.
type sessions struct {
	byPID   map[socket.PrivateSessionId]*session
	claimed map[socket.SocketId]*session // by clients whose sockets are not attached yet
	parked  []parkedSession              // in order; stale ones stay until their turn comes
	timer   *time.Timer                  // forgets what is too old; runs while there is something

	// Links that were withdrawn while the library had not done with their sockets.
	withdrawn map[socket.SocketId]*link
}

type parkedSession struct {
	*session
	at int64
}

// enableRecovery is called once, before the adapter has sockets.
func (a *LocalAdapter) enableRecovery(r *recovery) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.journal = newJournal(r)
	a.sessions = sessions{
		byPID: map[socket.PrivateSessionId]*session{}, claimed: map[socket.SocketId]*session{}, withdrawn: map[socket.SocketId]*link{},
	}
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
// claims it. It may wait; the library calls it on the goroutine of the client's CONNECT.
func (a *LocalAdapter) RestoreSession(pid socket.PrivateSessionId, offset string) (*socket.Session, error) {
	if a.journal == nil { // static by now
		return nil, nil
	}
	a.checkLost()
	r := a.journal.shared
	deadline := time.Now().Add(r.cfg.Wait)
	if len(pid) > maxOffset || len(offset) > maxOffset { // nothing that we gave out
		r.refuse(a.name, RefusedUnknown)
		return nil, nil
	}
	s, why := a.claim(pid, offset, deadline)
	if why == RefusedUnknown && a.peers != nil {
		s, why = a.claimRemote(pid, offset, deadline)
	}
	if s == nil {
		r.refuse(a.name, why)
		return nil, nil
	}
	return s.library(), nil
}

// claim takes a session of this instance. Should its old connection not be known to be dead, it is
// ended first: nothing is sent to it any more, and what was sent after offset did not arrive.
func (a *LocalAdapter) claim(pid socket.PrivateSessionId, offset string, deadline time.Time) (*session, Refusal) {
	timeout := time.NewTimer(time.Until(deadline))
	defer timeout.Stop()
	for {
		a.mu.Lock()
		s := a.sessions.byPID[pid]
		wait, old := a.pendingLocked(s)
		if wait == nil {
			defer a.mu.Unlock()
			return a.claimLocked(s, offset)
		}
		a.mu.Unlock()
		if old != nil {
			old.eio.Discard()
		}
		select {
		case <-wait:
		case <-timeout.C:
			return nil, RefusedTimeout
		}
	}
}

// pendingLocked returns what has to happen before s can be claimed: its old connection has to end, or
// its old socket to be gone.
func (a *LocalAdapter) pendingLocked(s *session) (wait <-chan struct{}, old *conn) {
	if s == nil {
		return nil, nil
	}
	if s.state == sessionParked {
		select {
		case <-s.over:
			s.over = nil
		default:
		}
		return s.over, nil
	}
	if s.moved == nil {
		s.moved = make(chan struct{})
	}
	if s.link != nil {
		old = s.link.conn
	}
	return s.moved, old
}

func (a *LocalAdapter) claimLocked(s *session, offset string) (_ *session, why Refusal) {
	if s == nil {
		return nil, RefusedUnknown
	}
	if s.expired(a.journal.shared.cfg.For, time.Now().UnixMilli()) {
		why = RefusedExpired
	} else {
		s.next, why = s.locate(offset, a.journal)
	}
	if why != NotRefused {
		a.dropLocked(s)
		return nil, why
	}
	a.unparkLocked(s)
	s.move(sessionClaimed)
	a.sessions.claimed[s.sid] = s
	return s, NotRefused
}

// park keeps the session of a link whose connection broke, or drops it.
func (a *LocalAdapter) park(l *link, keep bool, data any, over <-chan struct{}) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := l.member.session
	if s == nil {
		return
	}
	l.member.session, l.member.replay = nil, nil
	if !keep || s.state == sessionNew {
		a.dropLocked(s)
		return
	}
	s.data, s.over = data, over
	a.parkLocked(s, time.Now().UnixMilli())
}

func (a *LocalAdapter) parkLocked(s *session, now int64) {
	r := a.journal.shared
	s.link, s.parkedAt, s.size = nil, now, s.estimate()
	s.move(sessionParked)
	r.account(s.size, 1)
	r.parked.Add(1)
	a.sessions.parked = append(a.sessions.parked, parkedSession{s, now})
	// Half of all bytes is theirs at most.
	for len(a.sessions.parked) > 1 && r.parkedBytes.Load() > r.cfg.Bytes/2 {
		a.popParkedLocked()
	}
	a.tickLocked()
}

// unparkLocked ends the accounting of a parked session.
func (a *LocalAdapter) unparkLocked(s *session) {
	if s.state == sessionParked {
		a.journal.shared.account(-s.size, -1)
	}
}

// dropLocked forgets a session.
func (a *LocalAdapter) dropLocked(s *session) {
	a.unparkLocked(s)
	a.dropPrefixLocked(s)
	s.move(sessionNew)
	s.link = nil
	if a.sessions.byPID[s.pid] == s {
		delete(a.sessions.byPID, s.pid)
	}
	if a.sessions.claimed[s.sid] == s {
		delete(a.sessions.claimed, s.sid)
	}
}

// dropPrefixLocked forgets what another instance handed over with a session: its client has got it, or
// will be refused.
func (a *LocalAdapter) dropPrefixLocked(s *session) {
	a.journal.shared.account(-s.prefixSize, 0)
	s.prefix, s.prefixSize, s.prefixUntil = nil, 0, 0
}

// popParkedLocked forgets the session that is parked longest.
func (a *LocalAdapter) popParkedLocked() {
	p := a.sessions.parked[0]
	a.sessions.parked[0] = parkedSession{}
	a.sessions.parked = a.sessions.parked[1:]
	if p.state == sessionParked && p.parkedAt == p.at {
		a.dropLocked(p.session)
	}
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
	keep, now := a.journal.shared.cfg.For, time.Now().UnixMilli()
	for len(a.sessions.parked) > 0 && a.sessions.parked[0].at+keep.Milliseconds() < now {
		a.popParkedLocked()
	}
	a.journal.expire(now)
	prefixes := false
	for _, s := range a.sessions.byPID {
		switch {
		case s.prefixUntil == 0:
		case s.prefixUntil < now && s.state == sessionLive:
			if n := len(s.prefix); n > 0 { // who got nothing since has got all of it
				s.base = s.prefix[n-1].id.String()
			}
			a.dropPrefixLocked(s)
		default:
			prefixes = true
		}
	}
	if prefixes || len(a.sessions.parked) > 0 || len(a.journal.list) > 0 {
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
	for len(a.sessions.parked) > 0 {
		a.popParkedLocked()
	}
	if a.sessions.timer != nil {
		a.sessions.timer.Stop()
		a.sessions.timer = nil
	}
	a.journal.cut()
}

// enrollLocked gives a socket its session: the claimed one, or a new one that began when the client
// had got offset. It returns what happened to rooms: a recovered socket is in its rooms at once.
func (a *LocalAdapter) enrollLocked(l *link, id socket.SocketId, offset string) (changes []roomEvent) {
	s := a.sessions.claimed[id]
	if s == nil {
		s = &session{sid: id, link: l}
		if offset != noOffset && len(offset) <= maxOffset {
			s.base = offset
		}
		l.member.session = s
		return nil
	}
	delete(a.sessions.claimed, id)
	s.link, l.member.session = l, s
	for _, room := range s.rooms() {
		created := a.rooms[room] == nil && !a.ownedLocked(room)
		if !a.indexLocked(l, room) {
			continue
		}
		if created {
			changes = append(changes, roomEvent{name: "create-room", room: room})
		}
		changes = append(changes, roomEvent{"join-room", room, id})
	}
	return changes
}

// maxOffset bounds what a client calls an offset, or a private session id.
const maxOffset = 64

// unenrollLocked is called when a socket leaves the namespace without having parked its session. That
// waits for the client's next try if the connection broke.
func (a *LocalAdapter) unenrollLocked(l *link) {
	s := l.member.session
	if s == nil {
		return
	}
	l.member.session, l.member.replay = nil, nil
	switch {
	case l.conn.eio.Open():
		a.dropLocked(s)
	case s.state == sessionClaimed: // its client never heard of it: it expires when it would have
		a.parkLocked(s, s.parkedAt)
	case s.state == sessionLive:
		s.data = l.sock.Data()
		a.parkLocked(s, time.Now().UnixMilli())
	default:
		a.dropLocked(s)
	}
}

// withdraw takes out a socket that the library has not done with: when a middleware answers, or when it
// finds the connection closed, it will call DelAll for an id that may be a new socket's by then. So the
// session is not given away before that.
func (a *LocalAdapter) withdraw(l *link) {
	watched := len(a.snapshot()) > 0
	a.mu.Lock()
	if a.byID[l.member.id] != l {
		a.mu.Unlock()
		return
	}
	s := l.member.session
	changes := a.delAllLocked(l, watched)
	if s != nil && s.state == sessionParked {
		over := make(chan struct{})
		l.member.over, s.over = over, over
		a.sessions.withdrawn[l.member.id] = l
	}
	a.mu.Unlock()
	a.emitRooms(changes)
}

// releaseLocked is called when the library takes out a socket that was withdrawn. If that was
// connected, begin calls it again when all is done.
func (a *LocalAdapter) releaseLocked(id socket.SocketId) {
	if l := a.sessions.withdrawn[id]; l != nil && !l.sock.Connected() {
		delete(a.sessions.withdrawn, id)
		close(l.member.over)
	}
}

// released is called when the library is done with a socket that was withdrawn.
func (l *link) released() {
	if a := l.ns.local; a != nil {
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.sessions.withdrawn[l.member.id] == l {
			a.releaseLocked(l.member.id)
		}
	}
}

// admitLocked queues the answer to a CONNECT and what a recovered client missed. It reports false if
// the socket cannot take part: the connection is over, or has to end.
func (a *LocalAdapter) admitLocked(l *link, answer []*engineio.Frame, pid socket.PrivateSessionId) bool {
	s := l.member.session
	if s == nil || s.state != sessionClaimed {
		if !l.conn.send(answer, nil) {
			return false
		}
		if s != nil && s.state == sessionNew && pid != "" {
			s.pid, s.start = pid, a.journal.head()
			a.sessions.byPID[pid] = s
			s.move(sessionLive)
		}
		return true
	}
	r := a.journal.shared
	frames, more, ok := a.missedLocked(s, r.queueHalf, answer)
	if !ok {
		// Forgotten since it was claimed, and the library believes in it already: the client has to come
		// once more, and begins anew.
		a.dropLocked(s)
		l.member.session = nil
		r.refuse(a.name, RefusedCut)
		l.conn.eio.Close()
		return false
	}
	if !l.conn.send(frames, nil) {
		return false
	}
	r.recovered.Add(1)
	s.data = nil
	s.move(sessionLive)
	if more {
		l.member.replay = &replay{}
		r.running.Add(1)
		go a.catchUp(l, s)
	}
	return true
}

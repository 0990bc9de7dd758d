package socketio

import (
	"math"
	"net/http"
	"sync"
	"time"
)

// Everybody in a room is due what anybody says, so what recovery keeps is one client's need and another's
// doing: a few that send much would push out what all the others may come back for. While there is room,
// everybody may use it. When three quarters of Recovery.Bytes are used, those that have sent most of late are
// read more slowly, as if they had exceeded a rate:
//
//	used        3/4 … all of Recovery.Bytes
//	may have    1/4 … 1/1024 of it, falling by half for each 1/32 that is used more
//	more than that: read at the pace of (what one may have) / Recovery.For
//
// So the heaviest are met first, and the bytes of others last for the whole of Recovery.For: four dozen that
// send without end cannot fill what is left in that time. It holds for each client, and for each address that
// a [Gate] can name.

// An AddressGate is a Gate that knows which connections belong together.
type AddressGate interface {
	Gate
	// Address returns what stands for the client's address, from what Enter gets; false if many clients
	// may share it, as those behind a proxy that is not trusted.
	Address(remote string, header http.Header) (key uint64, ok bool)
}

// A share is what one sender has of what is kept, by an estimate: what it sent in the last Recovery.For. The
// zero value has sent nothing.
type share struct {
	mu            sync.Mutex
	began         time.Duration // of the present span of Recovery.For
	bytes, before int64         // sent in it, and in the one before
	pace          bucket
	conns         int // that have it; guarded by shares.mu
}

// heldLocked returns the estimate.
func (s *share) heldLocked(now, span time.Duration) int64 {
	switch past := now - s.began; {
	case past >= 2*span:
		s.began, s.bytes, s.before = now, 0, 0
	case past >= span:
		s.began, s.bytes, s.before = s.began+span, 0, s.bytes
	}
	return s.bytes + int64(float64(s.before)*(1-float64(now-s.began)/float64(span)))
}

func (s *share) add(size int64, now, span time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heldLocked(now, span)
	s.bytes += size
}

// take takes n bytes from one that has more than it may, and returns how long to wait for them.
func (s *share) take(n int, most int64, now, span time.Duration) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.heldLocked(now, span) <= most {
		return 0
	}
	return s.pace.take(rate{perSecond: perSecond(most, span)}, n, now)
}

func perSecond(bytes int64, span time.Duration) int {
	return int(max(float64(bytes)/span.Seconds(), 1))
}

// exceeds tells whether it has more than it may.
func (s *share) exceeds(most int64, now, span time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.heldLocked(now, span) > most
}

// shares are those of addresses. They outlive their connections as long as what these sent is kept: to come
// anew does not help.
type shares struct {
	mu   sync.Mutex
	list map[uint64]*share
	next int // how many there may be before those that are over are looked for
}

// minShares is too few to look.
const minShares = 1024

func (s *shares) enter(key uint64, now, span time.Duration) *share {
	s.mu.Lock()
	defer s.mu.Unlock()
	sh := s.list[key]
	if sh == nil {
		if len(s.list) >= max(s.next, minShares) {
			s.sweepLocked(now, span)
		}
		if s.list == nil {
			s.list = map[uint64]*share{}
		}
		sh = &share{began: now}
		s.list[key] = sh
	}
	sh.conns++
	return sh
}

func (s *shares) leave(sh *share) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sh.conns--
}

func (s *shares) sweepLocked(now, span time.Duration) {
	for key, sh := range s.list {
		if sh.conns == 0 && !sh.exceeds(0, now, span) {
			delete(s.list, key)
		}
	}
	s.next = 2 * len(s.list)
}

// senderShares are those that a connection draws from. Made when it first sends something that is kept.
type senderShares struct {
	own     share
	address *share // nil: not known, or many have it
}

// keeps notes bytes that are kept because of what the client sent. Any goroutine may call it.
func (c *conn) keeps(size int) {
	r := c.server.recovery
	if r == nil {
		return
	}
	now := time.Since(c.server.limits.start)
	s := c.pace.shares.Load()
	if s == nil {
		if s = c.newShares(now); s == nil {
			return // it has ended
		}
	}
	n := int64(size + entryOverhead)
	s.own.add(n, now, r.cfg.For)
	if s.address != nil {
		s.address.add(n, now, r.cfg.For)
	}
}

func (c *conn) newShares(now time.Duration) *senderShares {
	r := c.server.recovery
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.pace.shares.Load(); s != nil || c.ended != "" {
		return s
	}
	s := &senderShares{own: share{began: now}}
	if gate, ok := c.server.opts.Gate.(AddressGate); ok {
		h := c.eio.Handshake()
		if key, ok := gate.Address(h.RemoteAddr, h.Header); ok {
			s.address = r.shares.enter(key, now, r.cfg.For)
		}
	}
	c.pace.shares.Store(s)
	return s
}

// leaveShares is called when the connection has ended.
func (c *conn) leaveShares() {
	if s := c.pace.shares.Load(); s != nil && s.address != nil {
		c.server.recovery.shares.leave(s.address)
	}
}

// allowance is what one sender may have of what is kept now, 0 if there is room for all.
func (r *recovery) allowance() int64 {
	full := float64(r.used.Load())/float64(r.cfg.Bytes)*4 - 3
	if full <= 0 {
		return 0
	}
	return max(int64(float64(r.cfg.Bytes)/4*math.Exp2(-8*min(full, 1))), 1)
}

// shareStep is after how long it is seen whether there is room again.
const shareStep = time.Second

// keepShare waits if the client has too much of what is kept, before a message of a size is handled. It reports
// false when the connection has ended meanwhile.
func (c *conn) keepShare(size int) bool {
	r, s := c.server.recovery, c.pace.shares.Load()
	if r == nil || s == nil {
		return true
	}
	most := r.allowance()
	if most == 0 {
		return true
	}
	start := c.server.limits.start
	now, n := time.Since(start), size+entryOverhead
	wait := s.own.take(n, most, now, r.cfg.For)
	if s.address != nil {
		wait = max(wait, s.address.take(n, most, now, r.cfg.For))
	}
	if wait <= 0 {
		return true
	}
	c.slowed(wait, now, "bytes for recovery", perSecond(most, r.cfg.For))
	for until := now + wait; now < until; now = time.Since(start) {
		if most = r.allowance(); most == 0 || !s.own.exceeds(most, now, r.cfg.For) && (s.address == nil || !s.address.exceeds(most, now, r.cfg.For)) {
			return true
		}
		if !c.pause(min(until-now, shareStep)) {
			return false
		}
	}
	return true
}

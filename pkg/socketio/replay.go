package socketio

import (
	"time"

	"socketio-chat/pkg/engineio"
)

// A replay is a client that missed more than is queued for it at once. It takes part in nothing until
// it has caught up: what is sent to it meanwhile it finds in the journal, and events that are not
// kept there wait in extra.
type replay struct {
	extra []*engineio.Frame
}

// maxExtra bounds what waits in extra, in frames.
const maxExtra = 4096

// replayPause is how often a client that catches up is looked after.
const replayPause = 5 * time.Millisecond

// missedLocked appends to frames what the session missed, at most about limit bytes, and moves its
// cursor. more tells that there is more; ok is false if some of it is no longer kept.
func (a *LocalAdapter) missedLocked(s *session, limit int64, frames []*engineio.Frame) (_ []*engineio.Frame, more, ok bool) {
	j, events := a.journal, uint64(0)
	c, size := &s.next, int64(0)
	defer func() { j.shared.replayed.Add(events) }()
	for ; c.prefix < len(s.prefix); c.prefix++ {
		e := &s.prefix[c.prefix]
		if size > 0 && size+e.size > limit {
			return frames, true, true
		}
		frames = append(frames, e.frames...)
		size += e.size
		events++
	}
	if c.seq < j.floor {
		return frames, false, false
	}
	for head := j.head(); c.seq < head; c.seq++ {
		e := j.at(c.seq)
		if !s.wants(e, c.seq) {
			continue
		}
		if size > 0 && size+e.size > limit {
			return frames, true, true
		}
		frames = append(frames, e.frames...)
		size += e.size
		events++
	}
	return frames, false, true
}

// catchUp sends what a client missed as fast as it reads. It ends when the client has caught up, or its
// connection or socket is over.
func (a *LocalAdapter) catchUp(l *link, s *session) {
	defer a.journal.shared.running.Done()
	t := time.NewTicker(replayPause)
	defer t.Stop()
	for {
		select {
		case <-l.conn.eio.Done():
			return
		case <-t.C:
		}
		if l.conn.eio.Writable() && a.catchUpOnce(l, s) {
			return
		}
	}
}

// catchUpOnce sends the next part, and reports whether that was the last.
func (a *LocalAdapter) catchUpOnce(l *link, s *session) (done bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	r := l.member.replay
	if r == nil || l.member.session != s {
		return true // it has left, or its session is parked
	}
	frames, more, ok := a.missedLocked(s, a.journal.shared.queueHalf, nil)
	if !ok || len(r.extra) > maxExtra {
		l.conn.eio.Close() // it may ask for its session again, and is refused as a whole
		return true
	}
	if more {
		l.conn.send(frames, nil)
		return false
	}
	l.member.replay = nil
	l.conn.send(append(frames, r.extra...), nil)
	return true
}

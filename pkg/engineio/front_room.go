package engineio

import "time"

// Idle is how many connections wait at the front for a request. They belong to no
// session.
func (f *front) Idle() int { return f.fresh.len() + f.idle.len() }

// CloseIdle closes one of them: the one that has waited longest, of those that have sent
// nothing yet or of those between two requests, whichever are more. It reports false when there
// is none.
func (f *front) CloseIdle() bool {
	l := &f.idle
	if f.fresh.len() > l.len() {
		l = &f.fresh
	}
	var room [8]*frontConn
	for _, fc := range l.oldest(room[:0]) {
		if fc.evict() { // or it has begun to read
			return true
		}
	}
	return false
}

func (l *restList) len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.n
}

// oldest appends the connections that have waited longest to dst, as far as it has room. Some have begun to read, and are
// still to leave the list: as many as the poller has found at once.
func (l *restList) oldest(dst []*frontConn) []*frontConn {
	l.mu.Lock()
	defer l.mu.Unlock()
	for fc := l.head; fc != nil && len(dst) < cap(dst); fc = fc.next {
		if fc.parking.Parked() {
			dst = append(dst, fc)
		}
	}
	return dst
}

// CloseSlow cuts off the answer that has waited longest for its client to read it, of those of no session: sessions bound theirs (see
// slowAnswer). It reports false when there is none.
func (f *front) CloseSlow() bool { return f.unread.CutOldest() }

// cutOff makes what is being written fail; the writer closes the connection.
func (fc *frontConn) cutOff() { _ = fc.nc.SetWriteDeadline(time.Unix(1, 0)) } // fails on a closed connection only

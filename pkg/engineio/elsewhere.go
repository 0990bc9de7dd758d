package engineio

// The methods here are for a server that passes requests of this server's clients
// on and is about to end: its clients shall go on without it.

// LeaveSession is Conn.Leave for the session with an id. It reports whether there
// was one, and it was open.
func (s *Server) LeaveSession(id string) bool {
	c, ok := s.lookup(id)
	return ok && c.Leave()
}

// ReleasePoll answers the poll that the session with an id waits with, if it does,
// with nothing, so that the client polls again. It reports whether there was one.
func (s *Server) ReleasePoll(id string) bool {
	c, ok := s.lookup(id)
	if !ok {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.poll == nil {
		return false
	}
	c.poll.noop = true
	c.wakePollLocked()
	return true
}

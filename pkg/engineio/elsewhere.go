package engineio

// The methods here are for another instance that proxies requests to this one and is
// shutting down.

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
	if c.sender.poll == nil {
		return false
	}
	c.sender.poll.noop = true
	c.wakePollLocked()
	return true
}

package fakeredis

import (
	"errors"
	"net"
	"path"
	"sync"
	"syscall"
	"time"
)

// ErrDown is what Serve returns while there is no process.
var ErrDown = &net.OpError{Op: "dial", Net: "line", Err: syscall.ECONNREFUSED}

// A Server is where a Redis runs: its data outlives the process. Safe for concurrent use.
type Server struct {
	mu       sync.Mutex
	changed  *sync.Cond // something was added to a stream, or what sessions wait for may be over
	down     bool
	stopped  bool
	sessions map[*session]bool
	keys     map[string]value
	streams  map[string]*stream
	begun    int // sessions so far
	ended    sync.WaitGroup
}

// A value is that of a key.
type value struct {
	text    []byte
	members map[string]bool // of a set
	written time.Time
	expires time.Time // zero: never
}

// New starts a Redis without data.
func New() *Server {
	s := &Server{sessions: map[*session]bool{}, keys: map[string]value{}, streams: map[string]*stream{}}
	s.changed = sync.NewCond(&s.mu)
	return s
}

// Serve serves a connection from now on, until it ends.
func (s *Server) Serve(conn net.Conn) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down {
		return errors.Join(ErrDown, conn.Close())
	}
	c := newSession(s, conn)
	s.sessions[c] = true
	s.ended.Go(c.run)
	return nil
}

// Wait waits until all sessions have ended.
func (s *Server) Wait() { s.ended.Wait() }

// Kill ends the process at once.
func (s *Server) Kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down, s.stopped = true, false
	s.dropLocked()
}

// Start starts a process where one was killed. What was written in the latest part of the time before now is lost, as it is without, or
// with a late, fsync; the time during which there was no process counts.
func (s *Server) Start(lost time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = false
	if lost <= 0 {
		return
	}
	since := time.Now().Add(-lost)
	for name, v := range s.keys {
		if v.written.After(since) {
			delete(s.keys, name)
		}
	}
	for name, st := range s.streams {
		if st.cut(since); len(st.entries) == 0 {
			delete(s.streams, name)
		}
	}
}

// Stop makes the process stand still, or go on.
func (s *Server) Stop(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = on
	s.changed.Broadcast()
}

// KillClients closes all connections.
func (s *Server) KillClients() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropLocked()
}

func (s *Server) dropLocked() {
	for c := range s.sessions {
		_ = c.conn.Close()
		c.over = true
	}
	clear(s.sessions)
	s.changed.Broadcast()
}

// Keys are the names of what is kept, streams included, that a pattern matches; lasting leaves out what expires.
func (s *Server) Keys(pattern string, lasting bool) (names []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name := range s.keys {
		if v, ok := s.getLocked(name); ok && matches(pattern, name) && !(lasting && !v.expires.IsZero()) {
			names = append(names, name)
		}
	}
	for name := range s.streams {
		if matches(pattern, name) {
			names = append(names, name)
		}
	}
	return names
}

func (s *Server) getLocked(name string) (value, bool) {
	v, ok := s.keys[name]
	if ok && !v.expires.IsZero() && !time.Now().Before(v.expires) {
		delete(s.keys, name)
		return value{}, false
	}
	return v, ok
}

// publishLocked gives a message to the subscribers of a channel, and returns how many those were.
func (s *Server) publishLocked(channel, message []byte, sharded bool) (n int) {
	name, kind := string(channel), "message"
	if sharded {
		kind = "smessage"
	}
	for _, c := range s.orderLocked() {
		if sharded && c.shards[name] || !sharded && c.channels[name] {
			c.reply(array(kind, channel, message))
			n++
		}
		for pattern := range c.patterns {
			if !sharded && matches(pattern, name) {
				c.reply(array("pmessage", pattern, channel, message))
				n++
			}
		}
	}
	return n
}

// orderLocked are the sessions in the order in which they began: one seed, one order.
func (s *Server) orderLocked() []*session {
	list := make([]*session, 0, len(s.sessions))
	for c := range s.sessions {
		list = append(list, c)
	}
	sortSessions(list)
	return list
}

// matches tells whether a glob-style pattern fits a name. Names with a slash are common here, so it is none to path.Match.
func matches(pattern, name string) bool {
	ok, err := path.Match(slashless(pattern), slashless(name))
	return ok && err == nil
}

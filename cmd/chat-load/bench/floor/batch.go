package floor

import (
	"errors"
	"net"
	"syscall"
	"time"

	"socketio-chat/pkg/uring"
)

// relayBatch writes the frame to everybody by few system calls. It waits for a client that cannot take all of it now.
func (s *Server) relayBatch(frame []byte) {
	s.sending.Lock()
	defer s.sending.Unlock()
	conns := *s.conns.Load()
	s.batch = s.batch[:0]
	for _, nc := range conns {
		s.batch = append(s.batch, uring.Send{FD: descriptor(nc), Data: frame})
	}
	tried := s.pool.Send(s.batch)
	for i, nc := range conns {
		rest := frame
		if i < tried {
			sent := s.batch[i]
			if sent.Err != nil && !errors.Is(sent.Err, syscall.EAGAIN) {
				continue // a broken connection is its own reader's business
			}
			rest = frame[sent.N:]
		}
		if len(rest) > 0 {
			_, _ = nc.Write(rest)
		}
	}
}

// descriptor is that of a connection which nobody closes meanwhile; -1, which nothing can be sent to, if it is closed.
func descriptor(nc net.Conn) int32 {
	fd := int32(-1)
	if sc, ok := nc.(syscall.Conn); ok {
		if raw, err := sc.SyscallConn(); err == nil {
			_ = raw.Control(func(d uintptr) { fd = int32(d) }) // an error leaves -1
		}
	}
	return fd
}

// close ends a connection when no batch holds its descriptor. The deadline ends a write that waits for the peer.
func (s *Server) close(nc net.Conn) {
	_ = nc.SetDeadline(time.Unix(1, 0)) // fails only if it is closed already
	s.sending.Lock()
	defer s.sending.Unlock()
	nc.Close()
}

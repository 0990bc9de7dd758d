package engineio

import "sync/atomic"

// Stats counts what happened since the server was made. Each number is exact;
// numbers read one after another need not belong to the same moment.
type Stats struct {
	opened, upgraded atomic.Uint64

	transportClose, transportError, pingTimeout, parseError, forcedClose, slowClient atomic.Uint64
}

func (s *Stats) closed(reason CloseReason) {
	if n := s.byReason(reason); n != nil {
		n.Add(1)
	}
}

func (s *Stats) byReason(reason CloseReason) *atomic.Uint64 {
	switch reason {
	case TransportClose:
		return &s.transportClose
	case TransportError:
		return &s.transportError
	case PingTimeout:
		return &s.pingTimeout
	case ParseError:
		return &s.parseError
	case ForcedClose:
		return &s.forcedClose
	case SlowClient:
		return &s.slowClient
	}
	return nil
}

// Opened is the number of connections so far.
func (s *Stats) Opened() uint64 { return s.opened.Load() }

// Upgraded is the number of connections that went from polling to WebSocket.
func (s *Stats) Upgraded() uint64 { return s.upgraded.Load() }

// Closed is the number of connections that ended for a reason.
func (s *Stats) Closed(reason CloseReason) uint64 {
	if n := s.byReason(reason); n != nil {
		return n.Load()
	}
	return 0
}

// Stats returns the server's counters, which go on counting.
func (s *Server) Stats() *Stats { return &s.stats }

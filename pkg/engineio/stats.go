package engineio

import (
	"errors"
	"sync/atomic"

	"socketio-chat/pkg/histogram"
)

// Stats counts what happened since the server was made. Each number is exact;
// numbers read one after another need not belong to the same moment.
//
// What happens for every message is counted without contention: received
// messages in shards by connection, written frames by each flusher worker, who
// adds them up when it takes the flusher's lock anyway.
type Stats struct {
	opened, upgraded, payloadTooLarge, controlFrames atomic.Uint64

	transportClose, transportError, pingTimeout, parseError, forcedClose, slowClient, serverShutdown atomic.Uint64

	queueFull atomic.Uint64 // of slowClient

	served, handedOver atomic.Uint64 // by the front
	refused            [len(refusals)]atomic.Uint64

	received  [receivedShards]receivedShard
	polled    sentCounters // by answers to polls, and by writers that wait for their peer
	roundTrip histogram.Histogram
}

const receivedShards = 8

// A receivedShard has a cache line of its own.
type receivedShard struct {
	messages, bytes atomic.Uint64
	_               [48]byte
}

type sentCounters struct{ frames, bytes, writes atomic.Uint64 }

func (s *sentCounters) add(frames int, bytes int64) {
	s.frames.Add(uint64(frames))
	s.bytes.Add(uint64(bytes))
	s.writes.Add(1)
}

// refusals names the errorCodes for people.
var refusals = [...]string{
	codeUnknownTransport: "unknown transport", codeUnknownSID: "unknown session", codeBadHandshakeMethod: "bad method",
	codeBadRequest: "bad request", codeForbidden: "forbidden", codeBadProtocol: "bad protocol",
}

func (s *Stats) refuse(code errorCode) { s.refused[code].Add(1) }

func (s *Stats) closed(reason CloseReason, err error) {
	if n := s.byReason(reason); n != nil {
		n.Add(1)
	}
	if reason == SlowClient && errors.Is(err, errQueueOverflow) {
		s.queueFull.Add(1)
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
	case ServerShutdown:
		return &s.serverShutdown
	}
	return nil
}

// Reasons lists all there are.
func Reasons() []CloseReason {
	return []CloseReason{TransportClose, TransportError, PingTimeout, ParseError, ForcedClose, SlowClient, ServerShutdown}
}

// receivedMessage counts one message of c.
func (s *Stats) receivedMessage(c *Conn, bytes int) {
	shard := 0
	if n := len(c.id); n > 0 {
		shard = int(c.id[n-1]) % receivedShards
	}
	s.received[shard].messages.Add(1)
	s.received[shard].bytes.Add(uint64(bytes))
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

// Front is the number of requests that Server.Front has answered itself, and of
// connections that it gave to net/http because of a request.
func (s *Stats) Front() (served, handedOver uint64) { return s.served.Load(), s.handedOver.Load() }

// QueueFull is how many of those closed for SlowClient had more waiting than
// QueueBytes; the others took nothing for WriteTimeout.
func (s *Stats) QueueFull() uint64 { return s.queueFull.Load() }

// PayloadTooLarge counts the messages and bodies of more than MaxPayload bytes.
func (s *Stats) PayloadTooLarge() uint64 { return s.payloadTooLarge.Load() }

// ControlFrames counts the times that something was closed for exceeding Options.ControlFrames.
func (s *Stats) ControlFrames() uint64 { return s.controlFrames.Load() }

// Refused counts the requests that were answered with an error of the protocol,
// by what was wrong with them. The keys are always the same.
func (s *Stats) Refused() map[string]uint64 {
	m := make(map[string]uint64, len(refusals))
	for code, name := range refusals {
		m[name] = s.refused[code].Load()
	}
	return m
}

// Received is the number of messages from clients, and their bytes: those of
// the messages, without framing.
func (s *Stats) Received() (messages, bytes uint64) {
	for i := range s.received {
		messages += s.received[i].messages.Load()
		bytes += s.received[i].bytes.Load()
	}
	return messages, bytes
}

// RoundTrip is how long clients took to answer heartbeats, from the moment the
// ping was queued; protocol 4 only: in protocol 3 the client asks.
func (s *Stats) RoundTrip() histogram.Snapshot { return s.roundTrip.Snapshot() }

// Stats returns the server's counters, which go on counting.
func (s *Server) Stats() *Stats { return &s.stats }

// Sent is what was written to clients so far.
type Sent struct {
	Frames uint64 // packets, each counted for each of its receivers
	Bytes  uint64 // of their frames, or of the bodies that polls were answered with
	Writes uint64 // times that a connection was written to: Frames/Writes left together

	Batched uint64 // of Writes, those that shared a system call with others, see Server.IOUring
}

// Sent returns what was written to clients so far. A flusher worker adds what
// it wrote for every few connections.
func (s *Server) Sent() Sent {
	f := s.flusher
	f.mu.Lock()
	sent := f.sent
	f.mu.Unlock()
	p := &s.stats.polled
	sent.Frames += p.frames.Load()
	sent.Bytes += p.bytes.Load()
	sent.Writes += p.writes.Load()
	return sent
}

// A Census is the state of all open connections.
type Census struct {
	Open [2][2]int // by transport (polling, WebSocket) and protocol (3, 4)

	QueuedBytes  int64 // in all outboxes
	LargestQueue int64 // bytes of the fullest outbox
	Waiting      int   // connections with something in their outbox
	Scheduled    int   // connections that wait for a flusher worker
}

// Census looks at every connection, one after another: some 50 ns each, and no
// lock is held for longer than that.
func (s *Server) Census() (n Census) {
	s.each(func(c *Conn) {
		c.mu.Lock()
		queued, webSocket := c.sender.queued, c.sender.ws != nil
		c.mu.Unlock()
		transport, protocol := 0, 0
		if webSocket {
			transport = 1
		}
		if c.Protocol() == 4 {
			protocol = 1
		}
		n.Open[transport][protocol]++
		n.QueuedBytes += queued
		n.LargestQueue = max(n.LargestQueue, queued)
		if queued > 0 {
			n.Waiting++
		}
	})
	s.flusher.mu.Lock()
	n.Scheduled = s.flusher.line.len()
	s.flusher.mu.Unlock()
	return n
}

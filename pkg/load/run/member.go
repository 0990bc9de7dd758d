//go:build linux

package run

import (
	"time"

	"socketio-chat/pkg/load/client"
	"socketio-chat/pkg/load/message"
	"socketio-chat/pkg/load/tally"
)

// stallAfter is how long a sender of the closed loop waits for its own messages before it takes them for lost.
const stallAfter = 2 * time.Second

// member is one client of a run, and perhaps a sender.
type member struct {
	w        *worker
	client   *client.Client
	peer     client.Peer
	received *tally.Receiver
	sender   int // -1: sends nothing
	joined   bool
	gone     bool
	notices  uint64 // join notices heard

	// As a sender.
	sent     uint32
	inFlight int
	moved    time.Duration // when a message of its own came back last
}

// Joined implements client.Events.
func (m *member) Joined(now time.Duration) {
	m.joined = true
	m.w.n.joined++
	m.w.n.lastJoin = now
	if m.w.plan.cfg.Watch {
		m.client.Send([]byte("2" + m.w.plan.cfg.namespace() + `,0["presence:watch",{}]`))
	}
	m.w.oneThrough()
}

// Left implements client.Events.
func (m *member) Left(err error) {
	m.gone = true
	w := m.w
	if m.joined {
		w.n.left++
		if w.leftReason == nil {
			w.leftReason = err
		}
		return
	}
	w.n.failed++
	if w.failReason == nil {
		w.failReason = err
	}
	w.oneThrough()
}

// Packet implements client.Events.
func (m *member) Packet(packet []byte, now time.Duration) {
	w := m.w
	mark, kind := w.plan.format.Match(packet)
	switch kind {
	case message.Ours:
		m.delivered(mark, now)
	case message.Notice:
		w.n.notices++
		m.notices++
		w.n.lastNotice = now
	case message.Foreign:
		w.n.foreign++
	case message.Damaged:
		w.n.damaged++
	}
}

func (m *member) delivered(mark message.Mark, now time.Duration) {
	w := m.w
	if int(mark.Sender) >= w.plan.cfg.Senders {
		w.n.damaged++
		return
	}
	switch m.received.Got(uint32(mark.Sender), mark.Seq) {
	case tally.Duplicate:
		w.n.duplicates++
		return
	case tally.Late:
		w.n.reordered++
	}
	w.n.delivered++
	latency := int64(now/time.Microsecond) - int64(mark.Micros)
	w.interval.Record(latency)
	if w.from != 0 && mark.Micros >= w.from && mark.Micros < w.till {
		w.window.Record(latency)
	}
	if int(mark.Sender) == m.sender && w.plan.cfg.InFlight > 0 {
		m.cameBack(now)
	}
}

// send writes the sender's next message, which was due at the given time.
func (m *member) send(due time.Duration) {
	if m.gone {
		return
	}
	w := m.w
	mark := message.Mark{Sender: uint16(m.sender), Seq: m.sent, Micros: uint32(due / time.Microsecond)}
	w.scratch = w.plan.format.Append(w.scratch[:0], mark)
	m.sent++
	w.n.sent++
	m.client.Send(w.scratch)
}

// cameBack keeps the closed loop going.
func (m *member) cameBack(now time.Duration) {
	m.moved = now
	m.inFlight = max(m.inFlight-1, 0)
	if m.w.sending {
		m.fill()
	}
}

// fill sends until as many messages are under way as should be.
func (m *member) fill() {
	for m.inFlight < m.w.plan.cfg.InFlight && !m.gone {
		m.inFlight++
		m.send(m.w.loop.Now())
	}
}

// giveUpStalled begins anew when nothing has come back for long.
func (m *member) giveUpStalled(now time.Duration) {
	if m.inFlight == 0 || now-m.moved < stallAfter {
		return
	}
	m.w.n.stalls++
	m.inFlight, m.moved = 0, now
	m.fill()
}

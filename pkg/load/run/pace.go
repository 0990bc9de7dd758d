//go:build linux

package run

import "time"

// maxAtOnce bounds how many late messages are sent before reading goes on.
const maxAtOnce = 64

// pacer knows when each message is due at a fixed rate. The messages of all workers are numbered together, message k
// is due k/rate after the start and belongs to sender k mod senders: so the senders take turns, evenly, over all workers.
type pacer struct {
	start    time.Duration
	interval float64 // nanoseconds between two messages of the run
	senders  int     // of the run
	round    int     // how often each of this worker's senders has had its turn
	turn     int     // index of this worker's next sender
}

func (p *pacer) due(number int) time.Duration {
	return p.start + time.Duration(float64(number)*p.interval)
}

// startSending begins on the loop; start is the same for all workers.
func (w *worker) startSending(start time.Duration) {
	w.sending = true
	if cfg := w.plan.cfg; cfg.Rate > 0 {
		w.pace = pacer{start: start, interval: float64(time.Second) / cfg.Rate, senders: cfg.Senders}
		w.loop.Wake()
		return
	}
	for _, m := range w.senders {
		m.moved = start
		m.fill()
	}
}

// sendDue sends what is due by now, and tells when the next message is.
func (w *worker) sendDue(now time.Duration) time.Duration {
	if len(w.senders) == 0 {
		return beyond
	}
	p := &w.pace
	for range maxAtOnce {
		m := w.senders[p.turn]
		due := p.due(p.round*p.senders + m.sender)
		if due > now {
			return due
		}
		m.send(due)
		if p.turn++; p.turn == len(w.senders) {
			p.turn, p.round = 0, p.round+1
		}
	}
	return now
}

//go:build linux

package run

import (
	"time"

	"socketio-chat/pkg/load/result"
)

// sampleEvery is the distance of two samples.
const sampleEvery = time.Second

// snapshot is the sum of all workers' published counters.
type snapshot struct {
	at                       time.Duration
	joined, failed, left     int64
	sent, delivered, notices uint64
	missing, reordered       uint64
	lastNotice, lastJoin     time.Duration
	reading                  reading // of the processes; only in samples
}

// through is how many clients have joined or failed to.
func (s snapshot) through() int64 { return s.joined + s.failed }

func (r *runner) sum() snapshot {
	s := snapshot{at: r.now()}
	for _, w := range r.workers {
		p := &w.public
		s.joined += p.joined.Load()
		s.failed += p.failed.Load()
		s.left += p.left.Load()
		s.sent += p.sent.Load()
		s.delivered += p.delivered.Load()
		s.notices += p.notices.Load()
		s.missing += p.missing.Load()
		s.reordered += p.reordered.Load()
		s.lastNotice = max(s.lastNotice, time.Duration(p.lastNotice.Load()))
		s.lastJoin = max(s.lastJoin, time.Duration(p.lastJoin.Load()))
	}
	return s
}

// sample records the last second.
func (r *runner) sample(now time.Duration) {
	r.nextAt = now + sampleEvery
	s, last := r.sum(), r.last
	elapsed := s.at - last.at
	if elapsed < sampleEvery/4 {
		return // CPU time is known to 10 ms only: too short to tell anything
	}
	s.reading = r.watch.read()
	r.last = s
	latency := result.NewHistogram()
	for _, w := range r.workers {
		w.ask(func() { latency.Merge(w.interval); w.interval.Reset() })
	}
	perSecond := func(a, b uint64) float64 { return float64(a-b) / elapsed.Seconds() }
	out := result.Sample{
		At:         s.at.Seconds(),
		Phase:      r.phase,
		PhaseAt:    (now - r.phaseAt).Seconds(),
		PhaseFor:   r.phaseFor.Seconds(),
		Connected:  int(s.joined - s.left),
		Deliveries: perSecond(s.delivered, last.delivered),
		Notices:    perSecond(s.notices, last.notices),
		Sent:       perSecond(s.sent, last.sent),
		P50:        latency.Quantile(0.5),
		P99:        latency.Quantile(0.99),
		Missing:    s.missing,
		Reordered:  s.reordered,
		Processes:  r.watch.moments(last.reading, s.reading, elapsed),
	}
	r.out.Samples = append(r.out.Samples, out)
	if r.observer != nil {
		r.observer.Progress(out)
	}
}

// finalSnapshot keeps what the workers forget when their loops end: how many were still connected.
func (r *runner) finalSnapshot() {
	r.sample(r.now())
	for _, w := range r.workers {
		w.ask(func() {
			w.sending, w.starting = false, false
			w.ended = &ending{left: int(w.n.left), leftReason: w.leftReason, failReason: w.failReason}
		})
	}
}

// count is called when the workers have ended, and compares what was sent with what came.
func (r *runner) count() {
	sent := make([]uint32, r.cfg.Senders)
	for _, w := range r.workers {
		for _, m := range w.senders {
			sent[m.sender] = m.sent
		}
	}
	c := &r.out.Counts
	latency := result.NewHistogram()
	for _, w := range r.workers {
		w.count(c, sent)
		latency.Merge(w.window)
		if e := w.ended; e != nil {
			c.Left += e.left
			setReason(&c.LeftReason, e.leftReason)
			setReason(&r.out.Connect.Reason, e.failReason)
		}
	}
	r.out.Latency = latency.Latency()
}

func setReason(to *string, err error) {
	if *to == "" && err != nil {
		*to = err.Error()
	}
}

// count adds the worker's share. Clients that never joined were promised nothing; those that were cut off were.
func (w *worker) count(c *result.Counts, sent []uint32) {
	for _, m := range w.members {
		if !m.joined {
			continue
		}
		c.Lost += m.received.Unremembered()
		for sender, n := range sent {
			c.Expected += uint64(n)
			c.Lost += m.received.Missing(uint32(sender), n)
		}
	}
	c.Sent += w.n.sent
	c.Delivered += w.n.delivered
	c.Duplicates += w.n.duplicates
	c.Reordered += w.n.reordered
	c.Damaged += w.n.damaged
	c.Notices += w.n.notices
	c.Foreign += w.n.foreign
	c.Stalls += w.n.stalls
	c.Inexact = c.Inexact || w.budget.Exceeded
}

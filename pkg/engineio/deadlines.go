package engineio

import (
	"sync"
	"time"
)

// deadlines are the times at which the sessions of a server have to be looked at: for
// heartbeats, and to bound an orderly close. They share one timer, a hashed wheel:
//
//	slot   0     1     2     3          511
//	     ┌─────┬─────┬─────┬─────┐     ┌─────┐
//	     │     │ a c │     │ b   │  …  │     │     each slot is a tick of time, in turn
//	     └─────┴─────┴─────┴─────┘     └─────┘
//
// A session stands in the slot of its deadline. Moving a deadline to later, which each
// packet does, leaves it there: it is found too early, and put where it belongs by then.
// A slot's sessions are looked at together, so that their pings leave together.
//
// The timer runs only to the next slot that has somebody in it. Sessions are looked at
// up to a tick late, never early; for heartbeats, up to five ticks: see together.
type deadlines struct {
	tick  time.Duration
	began time.Time
	run   *running // counts the goroutine that looks

	mu      sync.Mutex
	slots   [wheelSlots]*Conn // the first of each list
	n       int               // of sessions in them
	done    int64             // the last tick that has been looked at
	timer   *time.Timer       // nil until the first session
	wake    int64             // the tick it is set to; 0: it is not
	looking bool              // a goroutine looks, and sets the timer afterwards
	due     []*Conn           // reused by it
}

const wheelSlots = 512

// A deadline is when a session has to be looked at, and where that stands in the wheel.
type deadline struct {
	// Conn.mu guards these.
	at    time.Duration // of the heartbeat, then the bound of an orderly close; 0: none. See set
	found time.Duration // when deadlines looks at it, not after at

	// deadlines.mu guards these: the neighbours in a slot, and its number from 1 on.
	before, after *Conn
	seat          int32
}

// newDeadlines makes ticks of a hundredth of the shortest period, 100 ms at the most.
func newDeadlines(o *Options, r *running) *deadlines {
	tick := min(max(min(o.PingInterval, o.PingTimeout)/100, time.Millisecond), 100*time.Millisecond)
	return &deadlines{tick: tick, began: time.Now(), run: r}
}

// gathering is how many ticks of heartbeats are looked at together.
const gathering = 5

// together returns the next moment, due or later, at which heartbeats are looked at. Pings of many sessions that
// leave at once share system calls, and so do the pongs that they bring; and an idle server, which is woken for
// each look, sleeps in between.
func (d *deadlines) together(due time.Duration) time.Duration {
	step := gathering * d.tick
	return (due + step - 1) / step * step
}

// now is the time since the wheel began.
func (d *deadlines) now() time.Duration { return time.Since(d.began) }

// set makes due the deadline of c, whose mutex the caller holds.
func (d *deadlines) set(c *Conn, due time.Duration) {
	known := c.deadline.at != 0
	if c.deadline.at = due; known && due >= c.deadline.found {
		return // it is looked at before, and then put where it belongs
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if known && c.deadline.seat == 0 {
		return // it is being looked at: that waits for the mutex of c
	}
	d.unlinkLocked(c)
	c.deadline.found = due
	d.linkLocked(c, max(int64((due+d.tick-1)/d.tick), d.done+1))
}

// drop forgets c, whose mutex the caller holds.
func (d *deadlines) drop(c *Conn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.unlinkLocked(c)
}

func (d *deadlines) linkLocked(c *Conn, tick int64) {
	slot, l := &d.slots[tick%wheelSlots], &c.deadline
	l.seat = int32(tick%wheelSlots) + 1
	l.before, l.after = nil, *slot
	if l.after != nil {
		l.after.deadline.before = c
	}
	*slot = c
	if d.n++; !d.looking {
		d.setTimerLocked(min(tick, d.done+wheelSlots))
	}
}

func (d *deadlines) unlinkLocked(c *Conn) {
	l := &c.deadline
	if l.seat == 0 {
		return
	}
	if l.after != nil {
		l.after.deadline.before = l.before
	}
	if l.before != nil {
		l.before.deadline.after = l.after
	} else {
		d.slots[l.seat-1] = l.after
	}
	l.seat, l.before, l.after = 0, nil, nil
	d.n--
}

// setTimerLocked lets the sessions of a tick, and of those before it, be looked at then.
func (d *deadlines) setTimerLocked(tick int64) {
	if d.wake != 0 && d.wake <= tick {
		return
	}
	d.wake = tick
	wait := time.Duration(tick)*d.tick - d.now()
	if d.timer == nil {
		d.timer = time.AfterFunc(wait, d.look)
		return
	}
	d.timer.Reset(wait)
}

// look looks at the sessions whose slots have come.
func (d *deadlines) look() {
	d.mu.Lock()
	if d.looking {
		d.mu.Unlock()
		return // a timer that was set anew while it expired
	}
	d.looking, d.wake = true, 0
	d.run.add()
	defer d.run.done()
	for now := int64(d.now() / d.tick); ; now = int64(d.now() / d.tick) {
		due := d.takeLocked(now)
		if len(due) == 0 {
			break
		}
		d.mu.Unlock()
		lookAt(due)
		clear(due)
		d.mu.Lock()
	}
	d.looking = false
	for tick := d.done + 1; d.n > 0 && d.wake == 0; tick++ {
		if d.slots[tick%wheelSlots] != nil {
			d.setTimerLocked(tick)
		}
	}
	d.mu.Unlock()
}

// takeLocked takes the sessions out of the slots up to the tick now.
func (d *deadlines) takeLocked(now int64) []*Conn {
	due := d.due[:0]
	for tick := max(d.done, now-wheelSlots) + 1; tick <= now; tick++ {
		for c := d.slots[tick%wheelSlots]; c != nil; c = d.slots[tick%wheelSlots] {
			d.unlinkLocked(c)
			due = append(due, c)
		}
	}
	d.done = max(d.done, now)
	d.due = due
	return due
}

// lookAt acts on what is due, and lets the pings leave together.
func lookAt(conns []*Conn) {
	pings := conns[0].server.NewBatch()
	for _, c := range conns {
		if c.onDeadline() {
			pings.Send(c, pingFrame)
		}
	}
	pings.Flush()
}

// close stops the timer; there are no sessions any more.
func (d *deadlines) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
	}
}

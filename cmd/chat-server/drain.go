package main

import (
	"context"
	"errors"
	"time"

	"socketio-chat/pkg/config"
)

// A drainPlan divides DRAIN_SECONDS:
//
//	SIGTERM     notice               spread                      rest            end
//	   ├──────────────────────┼──────────────────────────┼───────────────────┼──────────►
//	/readyz fails, clients    no new sessions; batch      what they sent      what is left
//	may still come: until     after batch loses its line  before they noticed is cut; leave
//	the balancer has noticed  and connects elsewhere      is still received   the cluster
//
// Every step ends early when there is nobody to wait for.
type drainPlan struct {
	notice, spread, rest time.Duration
	interrupted          bool // somebody waits at the keyboard
}

const (
	// noticeLimit bounds the first step: a balancer that looks every two seconds and believes
	// the second failure has noticed by then, twice.
	noticeLimit = 10 * time.Second
	// farewell is how long clients have to end their side of the line. One that polls has to ask
	// once more to notice, one whose line is dead never does.
	farewell = 5 * time.Second
	// noticeCheck is how often the first step looks whether anybody is left to move.
	noticeCheck = 50 * time.Millisecond
)

// drainPlanFor decides how this end goes. There is nothing to wait for when somebody
// waits at the keyboard, when the server fails, and, unless DRAIN_SECONDS is set, when it
// stands alone: without Redis no other instance has this chat.
func drainPlanFor(stopping context.Context, cfg config.Config) drainPlan {
	total := cfg.HTTP.Drain
	switch {
	case stopping.Err() == nil, errors.Is(context.Cause(stopping), errInterrupted):
		total = 0
	case !cfg.Redis.Configured() && !cfg.IsSet("DRAIN_SECONDS"):
		total = 0
	}
	if total <= 0 {
		return drainPlan{rest: farewell, interrupted: errors.Is(context.Cause(stopping), errInterrupted)}
	}
	p := drainPlan{notice: min(total/5, noticeLimit), rest: min(total/5, farewell)}
	p.spread = total - p.notice - p.rest
	return p
}

// total is the longest it may take.
func (p drainPlan) total() time.Duration { return p.notice + p.spread + p.rest }

// drain moves the clients to other instances as planned, and cuts off those that do not go.
func (c *chatParts) drain(p drainPlan) {
	if p.notice > 0 {
		c.log.Info("waiting for the load balancer", "clients", c.Clients(), "at_most", p.notice)
		c.awaitNotice(p.notice)
	}
	clients, start := c.Clients(), time.Now()
	if clients > 0 {
		message := "waiting for clients to disconnect"
		if p.interrupted {
			message += "; Ctrl-C again ends at once"
		}
		c.log.Info(message, "clients", clients, "at_most", p.spread+p.rest)
	}
	ctx, cancel := context.WithTimeout(context.Background(), p.spread+p.rest)
	defer cancel()
	wait := c.drainForwarded(ctx, p.spread)
	if err := c.io.Drain(ctx, p.spread); err != nil {
		// Clients that are asleep or gone: nothing is wrong with this end of the line.
		c.log.Warn("clients that did not answer are disconnected", "clients", c.Clients())
		_ = c.io.Engine().Close(ctx) // cuts them at once if ctx is over; if not, Close comes again
	}
	wait()
	c.log.Info("clients are disconnected", "clients", clients, "took", time.Since(start))
}

// awaitNotice waits as long as d, or until no client is left.
func (c *chatParts) awaitNotice(d time.Duration) {
	tick := time.NewTicker(noticeCheck)
	defer tick.Stop()
	for end := time.Now().Add(d); c.Clients() > 0 && time.Now().Before(end); {
		<-tick.C
	}
}

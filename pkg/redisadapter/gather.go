package redisadapter

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"time"

	rtypes "github.com/zishang520/socket.io-go-redis/types"

	"socketio-chat/pkg/redisadapter/internal/wire"
)

// gather collects the answers to one request. Which and how many instances are asked is known once
// Redis has told who listens; answers count until then, too.
type gather struct {
	what  string                         // for the error
	ids   []string                       // of the requests whose answers it takes
	want  func(c wire.Census) int        // how many answers are expected
	start func(c wire.Census) []wire.Out // makes the requests
	take  func(*wire.Response)           // one call at a time, none after done
	// counts, if set, is called in place of take, and tells whether the answer is one of those that are expected.
	counts func(*wire.Response) bool
	done   func(error) // called once, on a goroutine of its own
	// ctx, if set, is how long answers that come after done go to counts: an instance that was not waited for may have given something away.
	ctx context.Context //nolint:containedctx // of this gather alone

	timeout time.Duration // 0: the adapter's
	call    bool          // of all instances, also of those that are absent, see rollCall
	soon    bool          // does not wait for what is queued, see Hub.AskSoon

	mu       sync.Mutex
	census   wire.Census // that expected follows from
	expected int         // -1 until known
	late     *time.Timer // calls all instances
	got      int
	finished bool
	timer    *time.Timer
}

// gatherAnswers asks who is there, then them.
func (a *Adapter) gatherAnswers(g *gather) {
	g.expected = -1
	a.mu.Lock()
	closed := a.closed
	for _, id := range g.ids {
		if !closed {
			a.gathers[id] = g
		}
	}
	a.mu.Unlock()
	if g.ctx != nil {
		context.AfterFunc(g.ctx, func() { a.forget(g) })
	}
	g.mu.Lock()
	if !g.finished {
		g.timer = time.AfterFunc(cmp.Or(g.timeout, a.timeout), func() { a.endGather(g, g.timeoutError()) })
		if !g.call {
			g.late = time.AfterFunc(rollCallAfter, a.rollCall)
		}
	}
	g.mu.Unlock()
	switch {
	case closed:
		a.endGather(g, ErrClosed)
		return
	case !a.hub.IsJoined():
		a.endGather(g, ErrNotJoined)
		return
	}
	ask := a.hub.Ask
	if g.soon {
		ask = a.hub.AskSoon
	}
	err := ask(a.listen, func(c wire.Census, err error) []wire.Out {
		if err != nil {
			a.endGather(g, fmt.Errorf("%s: %w", g.what, err))
			return nil
		}
		less := a.absentees.less
		if g.call {
			less = func(c wire.Census) wire.Census { return c }
		}
		if g.expect(c, less) {
			a.endGather(g, nil)
			return nil
		}
		return g.start(c)
	})
	if err != nil {
		a.endGather(g, fmt.Errorf("%s: %w", g.what, err))
	}
}

// endGather finishes the gather and, unless answers may come later, forgets it.
func (a *Adapter) endGather(g *gather, err error) {
	if g.ctx == nil {
		a.forget(g)
	}
	g.finish(err)
}

// forget leaves what comes for the gather to nobody.
func (a *Adapter) forget(g *gather) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, id := range g.ids {
		delete(a.gathers, id)
	}
}

// expect sets how many answers make the gather complete, and returns whether it is. less is the census
// without instances that will not answer. One that is over, because Redis took too long to say who is there,
// is complete: nobody is asked for what nobody waits for.
func (g *gather) expect(c wire.Census, less func(wire.Census) wire.Census) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.finished {
		return true
	}
	g.census, g.expected = c, g.want(less(c))
	return g.got >= g.expected
}

// complete tells whether all answers are there that will come, as far as that is known now.
func (g *gather) complete(less func(wire.Census) wire.Census) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return !g.call && g.expected >= 0 && g.got >= g.want(less(g.census))
}

// counted is whom Redis counted.
func (g *gather) counted() wire.Census {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.census
}

// answer takes a response and returns whether it was the last.
func (g *gather) answer(r *wire.Response) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.finished {
		if g.ctx != nil {
			g.counts(r)
		}
		return false
	}
	if g.counts != nil {
		if !g.counts(r) {
			return false
		}
	} else {
		g.take(r)
	}
	g.got++
	return g.expected >= 0 && g.got >= g.expected
}

func (g *gather) timeoutError() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.expected < 0 {
		return fmt.Errorf("%s: timeout reached: Redis did not say who is there", g.what)
	}
	return fmt.Errorf("%s: timeout reached: only %d responses received out of %d", g.what, g.got, g.expected)
}

func (g *gather) finish(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.finished {
		return
	}
	g.finished = true
	if g.timer != nil {
		g.timer.Stop()
	}
	if g.late != nil {
		g.late.Stop()
	}
	go g.done(err)
}

// receiveResponse gives a response to the call that waits for it; most are for others.
func (a *Adapter) receiveResponse(r *wire.Response) error {
	id := string(r.RequestID)
	if id == "" {
		id = string(r.LegacyID)
	}
	a.mu.Lock()
	g, ack := a.gathers[id], a.acks[id]
	a.mu.Unlock()
	switch {
	case g != nil:
		if g.answer(r) {
			a.endGather(g, nil)
		}
	case ack != nil:
		a.receiveAck(ack, r)
	default:
		return wire.ErrNotForUs
	}
	return nil
}

// publishResponse answers req.
func (a *Adapter) publishResponse(req *wire.Request, r *wire.Response) {
	it, err := a.format.Answer(req, r)
	a.push(err, it)
}

// receiveRequest does what another instance asks for.
func (a *Adapter) receiveRequest(req *wire.Request) error {
	if req.UID == string(a.uid) {
		a.sessions.Pass(req)
		return wire.ErrNotForUs
	}
	if req.LegacyID != "" {
		if req.UID != "" {
			return wire.ErrNotForUs // from one of ours, for generation 2 nodes
		}
		return a.handleLegacy(req)
	}
	if (req.Type == rtypes.REMOTE_FETCH || req.Type == rtypes.BROADCAST) && req.Opts == nil {
		return wire.ErrNoOptions
	}
	switch req.Type {
	case rtypes.SOCKETS, rtypes.ALL_ROOMS, rtypes.REMOTE_FETCH:
		return a.handleQuery(req)
	case rtypes.REMOTE_JOIN, rtypes.REMOTE_LEAVE, rtypes.REMOTE_DISCONNECT:
		return a.handleCommand(req)
	case rtypes.SERVER_SIDE_EMIT:
		return a.handleServerSideEmit(req)
	case rtypes.BROADCAST:
		return a.handleBroadcastWithAck(req)
	case wire.SessionRequest:
		return a.sessions.Handle(req)
	}
	return fmt.Errorf("%w: type %d", wire.ErrRequestType, req.Type)
}

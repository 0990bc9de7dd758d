package hub

import (
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"socketio-chat/pkg/redisadapter/internal/wire"
)

// Bounds of one pipeline. A broken connection makes the outcome of a whole pipeline unknown, so it
// is not made as large as can be.
const (
	batchItems = 256
	batchBytes = 256 << 10
)

// publisher owns the publishing connection. Senders push to the queue and go on; what has piled up
// while Redis answered the previous pipeline makes the next one, so that a single message leaves at
// once and a flood is sent in batches. The queue's order is the order of publishing.
//
// Exactly once: a pipeline whose connection breaks is not repeated. What was answered counts as
// published, what was never written goes back to the queue. Of the rest, entries of a stream go back
// as well, marked as unsure, to be looked for when there is a connection again; everything else
// counts as unknown.
type publisher struct {
	h     *Hub
	link  *link
	buf   []item
	pause *backoff    // while Redis takes nothing
	retry *time.Timer // ends such a pause
	held  bool        // in such a pause

	counter counter
}

// publishLoop keeps a publisher going until the hub ends.
func (h *Hub) publishLoop() {
	b, balked := newBackoff(), false
	for h.ctx.Err() == nil {
		err := h.explain(h.publishSession(b, balked), "a channel")
		if h.ctx.Err() != nil {
			break
		}
		if balked = refused(err); balked {
			h.reload()
		}
		if !h.disconnected(&h.pub, err) {
			h.fault.warn("cannot publish to Redis, trying again", err)
		}
		h.emitError(err)
		if !h.pause(b) {
			break
		}
	}
	h.disconnected(&h.pub, h.ctx.Err())
	h.queue.close()
}

// pause waits before the next attempt to connect, and answers questions that waited too long meanwhile;
// false: the hub ends.
func (h *Hub) pause(b *backoff) bool {
	t := time.NewTimer(b.step())
	defer t.Stop()
	for {
		select {
		case <-t.C:
			return true
		case <-h.queue.late:
			h.queue.answerStale()
		case <-h.ctx.Done():
			return false
		}
	}
}

// publishSession connects and publishes until the connection breaks.
func (h *Hub) publishSession(b *backoff, balked bool) error {
	l, err := h.dial(h.ctx)
	if err != nil {
		return err
	}
	defer l.Close()
	if err := l.Ping(h.ctx).Err(); err != nil {
		return fmt.Errorf("PING: %w", err)
	}
	if h.durable != nil {
		if err := h.durable.opened(h, l); err != nil {
			return err
		}
	}
	if !balked { // a server that takes nothing is connected to ever more rarely
		b.reset()
	}
	h.connected(&h.pub)
	p := &publisher{h: h, link: l, pause: newBackoff(), retry: time.NewTimer(0), counter: counter{keep: h.cfg.Heartbeat}}
	defer p.retry.Stop()
	return p.run()
}

// run publishes until something fails. The queue's wake-up also comes when the cluster was joined
// or lost.
func (p *publisher) run() error {
	h := p.h
	beats := time.NewTicker(h.cfg.Heartbeat)
	defer beats.Stop()
	recount := time.NewTimer(0)
	defer recount.Stop()
	flowed, counting := false, true
	for {
		flow := h.MayFlow() && !p.held
		if flow && !flowed {
			h.queue.signal() // for what was queued meanwhile
		}
		flowed = flow
		var err error
		select {
		case <-h.ctx.Done():
			return h.ctx.Err()
		case <-h.beats:
			err = p.sendBeat()
		case <-beats.C:
			err = p.sendBeat()
		case <-h.queue.wake:
			if p.held {
				continue
			}
			if err = p.drain(flow); !flow && !counting {
				counting = true
				recount.Reset(0)
			}
		case <-h.queue.late:
			h.queue.answerStale()
		case <-p.retry.C:
			p.held = false
			h.queue.signal()
		case <-recount.C:
			if counting = h.settling(); counting {
				err = p.count()
				recount.Reset(settleTime / 50)
			}
		}
		if err != nil {
			return err
		}
	}
}

// drain publishes a batch, of what may flow, and, if there is more, makes sure that it is not forgotten.
func (p *publisher) drain(flow bool) error {
	p.h.sending.Store(true)
	defer p.h.sending.Store(false)
	p.buf = p.h.queue.take(p.buf, flow, batchItems, batchBytes)
	err := p.send(p.buf)
	clear(p.buf)
	if p.h.queue.more(flow) {
		p.h.queue.signal()
	}
	return err
}

// send publishes items in order. A question ends a pipeline, because its answer may give something
// to publish before anything else.
func (p *publisher) send(items []item) error {
	for len(items) > 0 {
		n := 0
		for n < len(items) && items[n].ask == nil {
			n++
		}
		n = min(n+1, len(items))
		back, next, err := p.pipeline(items[:n])
		items = items[n:]
		if len(back)+len(next) > 0 {
			items = slices.Concat(back, next, items)
		}
		switch {
		case err != nil:
			p.h.queue.unshift(items)
			return err
		case p.held:
			p.h.queue.unshift(items)
			return nil
		}
	}
	return nil
}

// pipeline runs items, of which only the last may be a question. next is what its answer gave to
// do; back is to be tried again. err ends the connection.
func (p *publisher) pipeline(items []item) (back, next []item, err error) {
	ctx := p.h.ctx
	publishes := make([]redis.Cmder, 0, len(items))
	var question *question
	var counted func() numbers
	pipe := p.link.Pipeline()
	if entries(items) > 1 { // all or none, so that one that is refused is not overtaken
		pipe = p.link.TxPipeline()
	}
	for _, it := range items {
		if it.ask == nil {
			publishes = append(publishes, p.h.transport.publish(ctx, pipe, it))
			continue
		}
		if question = it.ask; p.cluster() == nil {
			counted = ask(ctx, p.h.transport, pipe, question.of)
		}
	}
	p.link.conn.written.Store(0)
	if pipe.Len() > 0 {
		_, err = pipe.Exec(ctx)
	}
	broken := err
	if refused(err) {
		broken = nil // one command's own error; the connection is fine
	}
	back, err = p.settle(items, publishes, broken)
	if question == nil {
		return back, nil, err
	}
	if len(back) > 0 && broken == nil {
		return append(back, items[len(items)-1]), nil, err
	}
	var c wire.Census
	if err == nil {
		c, err = p.census(question.of, counted)
	}
	now := time.Now()
	for _, o := range question.answered(c, err) {
		next = append(next, item{Out: o, at: now})
	}
	return back, next, broken
}

// entries counts what goes into a stream.
func entries(items []item) (n int) {
	for _, it := range items {
		if it.Entry != nil {
			n++
		}
	}
	return n
}

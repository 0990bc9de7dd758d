package redisadapter

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
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
// published, what was never written goes back to the queue, the rest counts as unknown.
type publisher struct {
	h    *hub
	link *link
	buf  []item
}

// publishLoop keeps a publisher going until the hub ends.
func (h *hub) publishLoop() {
	b := newBackoff()
	for h.ctx.Err() == nil {
		err := h.publishSession(b)
		if h.ctx.Err() != nil {
			break
		}
		if !h.disconnected(&h.pub, err) {
			h.fault.warn("Cannot publish to Redis, trying again", err)
		}
		h.emitError(err)
		if !b.wait(h.ctx) {
			break
		}
	}
	h.disconnected(&h.pub, h.ctx.Err())
}

// publishSession connects and publishes until the connection breaks.
func (h *hub) publishSession(b *backoff) error {
	l, err := h.dial(h.ctx)
	if err != nil {
		return err
	}
	defer l.Close()
	if err := l.Ping(h.ctx).Err(); err != nil {
		return fmt.Errorf("PING: %w", err)
	}
	b.reset()
	h.connected(&h.pub)
	p := &publisher{h: h, link: l}
	return p.run()
}

// run publishes until something fails. The queue's wake-up also comes when the cluster was joined
// or lost.
func (p *publisher) run() error {
	h := p.h
	beats := time.NewTicker(h.cfg.heartbeat)
	defer beats.Stop()
	recount := time.NewTimer(0)
	defer recount.Stop()
	flowed, counting := false, true
	for {
		flow := h.mayFlow()
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
			if flow {
				err = p.drain()
			} else if !counting {
				counting = true
				recount.Reset(0)
			}
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

// drain publishes a batch and, if there is more, makes sure that it is not forgotten.
func (p *publisher) drain() error {
	p.h.sending.Store(true)
	defer p.h.sending.Store(false)
	p.buf = p.h.queue.take(p.buf, batchItems, batchBytes)
	err := p.send(p.buf)
	clear(p.buf)
	if left, _ := p.h.queue.len(); left > 0 {
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
		unsent, next, err := p.pipeline(items[:n])
		if err != nil {
			p.h.queue.unshift(slices.Concat(unsent, next, items[n:]))
			return err
		}
		if items = items[n:]; len(next) > 0 {
			items = slices.Concat(next, items)
		}
	}
	return nil
}

// pipeline runs items, of which only the last may be a question. next is what its answer gave to
// do; unsent is what can be tried again if the connection broke, which err tells.
func (p *publisher) pipeline(items []item) (unsent, next []item, err error) {
	ctx := p.h.ctx
	pipe := p.link.Pipeline()
	publishes := make([]redis.Cmder, 0, len(items))
	var question *question
	var answer func() census
	for _, it := range items {
		if it.ask == nil {
			publishes = append(publishes, p.h.transport.publish(ctx, pipe, it))
			continue
		}
		if question = it.ask; p.cluster() == nil {
			answer = ask(ctx, p.h.transport, pipe, question.of)
		}
	}
	p.link.conn.written.Store(0)
	if pipe.Len() > 0 {
		_, err = pipe.Exec(ctx)
	}
	if refused(err) {
		err = nil // one command's own error; the connection is fine
	}
	unsent = p.settle(items, publishes, err)
	if question != nil {
		var c census
		failed := err
		if failed == nil && answer != nil {
			c = answer()
		} else if failed == nil {
			c, failed = askCluster(ctx, p.h.transport, p.cluster(), question.of)
		}
		next = question.answered(c, failed)
		now := time.Now()
		for i := range next {
			next[i].at = now
		}
	}
	return unsent, next, err
}

// settle counts what became of items and returns those that were certainly not sent; publishes are
// the commands of those that are messages, err is set if the connection broke.
func (p *publisher) settle(items []item, publishes []redis.Cmder, err error) (unsent []item) {
	h, nothingSent := p.h, err != nil && p.link.conn.written.Load() == 0
	for i, cmd := range publishes {
		switch cmdErr := cmd.Err(); {
		case cmdErr == nil || answered(cmd):
			h.published.Add(1)
		case refused(cmdErr):
			h.dropped.Add(1)
			h.fault.warn("Redis refused to publish a message", cmdErr)
		case nothingSent:
			unsent = append(unsent, items[i])
		default:
			h.unknown.Add(1)
			h.fault.warn("Connection broke while publishing; messages may not have reached the other instances", err)
		}
	}
	return unsent
}

// answered tells whether a command has its answer: one that came before the connection broke.
func answered(cmd redis.Cmder) bool {
	switch c := cmd.(type) {
	case *redis.IntCmd:
		return c.Val() > 0
	case *redis.StringCmd:
		return c.Val() != ""
	}
	return false
}

// refused tells an answer of Redis from a broken connection.
func refused(err error) bool {
	var reply redis.Error
	return errors.As(err, &reply)
}

// cluster is the Redis Cluster whose servers must all be asked who is there, if any.
func (p *publisher) cluster() *redis.ClusterClient {
	if !p.h.transport.spread() {
		return nil
	}
	c, _ := p.h.redis.Client.(*redis.ClusterClient)
	return c
}

// sendBeat publishes a heartbeat, if there is a subscriber connection to bring it back, and counts
// the instances.
func (p *publisher) sendBeat() error {
	payload, ok := p.h.nextBeat()
	if !ok {
		return p.link.Ping(p.h.ctx).Err()
	}
	if err := p.publishBeat(payload); err != nil {
		return fmt.Errorf("publish a heartbeat: %w", err)
	}
	p.h.beatConfirmed()
	return p.count()
}

func (p *publisher) publishBeat(payload string) error {
	pipe := p.link.Pipeline()
	p.h.transport.publish(p.h.ctx, pipe, item{channel: p.h.beatChannel, payload: []byte(payload)})
	_, err := pipe.Exec(p.h.ctx)
	return err
}

// count finds out how many instances there are.
func (p *publisher) count() error {
	names := p.h.countedChannels()
	if len(names) == 0 {
		p.h.counted(1)
		return nil
	}
	cluster := p.cluster()
	if cluster == nil {
		counts, err := p.h.transport.numSub(p.h.ctx, p.link, names...).Result()
		if err != nil {
			return fmt.Errorf("count subscribers: %w", err)
		}
		p.h.counted(mostSubscribers(counts))
		return nil
	}
	var mu sync.Mutex
	var counts []map[string]int64
	err := cluster.ForEachShard(p.h.ctx, func(ctx context.Context, node *redis.Client) error {
		c, err := p.h.transport.numSub(ctx, node, names...).Result()
		mu.Lock()
		defer mu.Unlock()
		counts = append(counts, c)
		return err
	})
	if err != nil {
		p.h.fault.warn("Cannot count the instances at all servers of the Redis Cluster", err)
		return nil
	}
	p.h.counted(mostSubscribers(counts...))
	return nil
}

package hub

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"socketio-chat/pkg/redisadapter/internal/streams"
	"socketio-chat/pkg/redisadapter/internal/wire"
)

// streamTransport is the transport of mode Streams, that of @socket.io/redis-streams-adapter: broadcasts and
// commands are entries of one stream, which everybody reads from an offset of its own; what wants an
// answer, and the answers, go over publish and subscribe, since nobody would wait for them after a
// break.
//
// An entry carries the instance that sent it and a number. After a break the publisher looks for
// what it sent without getting an answer, and sends what did not arrive; readers pass over a number
// they have had.
type streamTransport struct {
	pubSub
	length   int64         // entries to keep
	bytes    int64         // about the bytes to keep, if that is less
	recheck  time.Duration // see streamReader
	meanSize atomic.Int64  // bytes of an entry lately

	// Owned by the publisher's goroutine.
	origin string
	begun  bool       // acked is valid
	acked  streams.ID // nothing of ours up to here is of unknown outcome
	wrote  streams.ID // the latest entry of ours that Redis has accepted, zero: none
}

var _ durable = (*streamTransport)(nil)

func newStreams(cfg Config) *streamTransport {
	return &streamTransport{pubSub: pubSub{key: cfg.Key}, length: int64(cfg.StreamLength), bytes: int64(cfg.StreamBytes), recheck: cmp.Or(cfg.Recheck, recheck)}
}

func (t *streamTransport) start(h *Hub) {
	r := &streamReader{h: h, t: t}
	h.done.Go(r.run)
}

func (t *streamTransport) publish(ctx context.Context, pipe redis.Pipeliner, it item) redis.Cmder {
	if it.Entry == nil {
		return t.pubSub.publish(ctx, pipe, it)
	}
	return pipe.XAdd(ctx, &redis.XAddArgs{Stream: t.key, MaxLen: t.maxLen(), Approx: true, Values: streams.EntryFields(it.Entry, t.origin, it.seq)})
}

// maxLen is how many entries the stream may keep, with entries as large as they are.
func (t *streamTransport) maxLen() int64 {
	return max(1, min(t.length, t.bytes/max(t.meanSize.Load(), 1)))
}

// sized notes the size of an entry that was read: the mean follows the latest few hundred. Called by
// the reader only.
func (t *streamTransport) sized(size int) {
	mean := t.meanSize.Load()
	t.meanSize.Store(mean + (int64(size)-mean)/256 + 1)
}

func (t *streamTransport) accepted(cmd redis.Cmder) {
	if c, ok := cmd.(*redis.StringCmd); ok {
		if id, err := streams.ParseID(c.Val()); err == nil {
			t.acked, t.wrote = id, id
		}
	}
}

// scanEntries is how many entries opened reads at once.
const scanEntries = 100

// opened finds out which of the entries whose outcome is unknown are in the stream.
func (t *streamTransport) opened(h *Hub, l *link) error {
	ctx := h.ctx
	t.origin = h.id
	if !t.begun {
		x, err := l.XInfoStream(ctx, t.key).Result()
		switch {
		case err == nil:
			if t.acked, err = streams.ParseID(x.LastGeneratedID); err != nil {
				return err
			}
		case !refused(err):
			return fmt.Errorf("XINFO STREAM %s: %w", t.key, err)
		} // no stream, or we may not look at it: from the beginning
		t.begun = true
	}
	if err := t.remembered(h, l); err != nil {
		return err
	}
	if !h.queue.unsure() {
		return nil
	}
	arrived, from := map[uint64]bool{}, t.acked
	for {
		list, err := l.XRangeN(ctx, t.key, from.Next().String(), "+", scanEntries).Result()
		if err != nil && !errors.Is(err, redis.Nil) {
			return fmt.Errorf("XRANGE %s: %w", t.key, err)
		}
		for _, m := range list {
			stamp, _ := m.Values[streams.FieldSeq].(string)
			if origin, n, ok := streams.ReadStamp(stamp); ok && origin == t.origin {
				arrived[n] = true
			}
		}
		if len(list) < scanEntries {
			break
		}
		if from, err = streams.ParseID(list[len(list)-1].ID); err != nil {
			return err
		}
	}
	h.published.Add(uint64(h.queue.settle(arrived)))
	return nil
}

// remembered finds out whether Redis still has what it has accepted from this instance. If not, the others are told: those that have not read
// it will not find out themselves before there is something new to read.
func (t *streamTransport) remembered(h *Hub, l *link) error {
	if t.wrote == (streams.ID{}) {
		return nil
	}
	pipe := l.TxPipeline()
	told := lookFor(h.ctx, pipe, t.key, t.wrote)
	if _, err := pipe.Exec(h.ctx); err != nil && !refused(err) {
		return fmt.Errorf("XRANGE %s: %w", t.key, err)
	}
	info, err := told()
	switch {
	case err != nil:
		return nil //nolint:nilerr // we may not look
	case info.Forgot(t.wrote):
		h.fault.warn("Redis has forgotten messages of this instance; others may not have read them", fmt.Errorf("%v of stream %s is gone", t.wrote, t.key))
		h.tellForgotten(t.wrote)
		t.wrote = streams.ID{}
	}
	return nil
}

// tellForgotten tells all instances that an entry, and perhaps others before it, are gone.
func (h *Hub) tellForgotten(latest streams.ID) {
	h.Send(wire.Out{Entry: streams.Forgotten(h.id, latest)})
}

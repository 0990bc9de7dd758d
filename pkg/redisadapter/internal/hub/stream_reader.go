package hub

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"

	"socketio-chat/pkg/redisadapter/internal/streams"
	"socketio-chat/pkg/redisadapter/internal/wire"
)

// Bounds of one read. How many entries are asked for follows from how large they have been.
const (
	readEntries = 500
	readBytes   = 4 << 20
)

// Times of a reader. An idle read ends by itself after readBlock, so that a dead connection shows
// readSilence later at the latest; every recheck an idle stream is looked at for what no read can
// tell, that it was made anew and ends before what was read.
const (
	readBlock   = time.Second
	readSilence = 5 * time.Second
	recheck     = 15 * time.Second
)

// streamReader reads a stream from where it was left, entry after entry, and gives them to the
// adapters. It owns its connection; the position outlives it. Its goroutine, run, ends with the
// Hub's context.
//
//	connect ─► look and read (XINFO, XREAD at once) ─► caught up? ─► wait (XREAD BLOCK) ─┐
//	                     ▲            no │                               ▲   entries      │
//	                     └───────────────┴── every recheck when idle ◄───┴────────────────┘
type streamReader struct {
	h      *Hub
	t      *streamTransport
	begun  bool // pos is valid
	pos    streams.Position
	origin streams.Origins
	looked time.Time
	// since is where the history begins of which everything is read or counted: what another instance tells of Redis having forgotten entries
	// before is no news. Zero before the first look.
	since streams.ID
	// bare: Redis lets us do no more than read, so that what it has forgotten is noticed less often.
	bare bool
}

// run reads until the hub ends.
func (r *streamReader) run() {
	h, b := r.h, newBackoff()
	for h.ctx.Err() == nil {
		err := h.explain(r.session(b), "key "+r.t.key)
		if h.ctx.Err() != nil {
			break
		}
		if !h.disconnected(&h.reader, err) {
			h.fault.warn("cannot read the stream, trying again", err)
		}
		h.emitError(err)
		if refused(err) {
			h.reload()
		}
		if !b.wait(h.ctx) {
			break
		}
	}
	h.disconnected(&h.reader, h.ctx.Err())
}

// session connects and reads until something fails.
func (r *streamReader) session(b *backoff) error {
	l, err := r.h.dial(r.h.ctx)
	if err != nil {
		return err
	}
	defer l.Close()
	r.bare = false // it may be allowed by now
	if !r.begun {
		if err := r.begin(l); err != nil {
			return err
		}
	}
	connected := false
	for {
		more := true
		for more {
			if more, err = r.look(l); err != nil {
				return err
			}
		}
		if !connected {
			connected = true
			b.reset()
			r.h.connected(&r.h.reader)
		}
		if err := r.follow(l); err != nil {
			return err
		}
	}
}

// begin finds where to start: with what was published since this instance started, for a client may have come
// before Redis answered.
func (r *streamReader) begin(l *link) error {
	ctx := r.h.ctx
	info, err := infoOf(l.XInfoStream(ctx, r.t.key), r.t.key)
	if err != nil {
		return err
	}
	r.pos = streams.End(info)
	now, err := l.Time(ctx).Result()
	switch {
	case isDenied(err):
		now = time.Now() // ours
	case err != nil:
		return fmt.Errorf("TIME: %w", err)
	}
	since := now.Add(-time.Since(r.h.started)).UnixMilli() - 1 // all of that millisecond, and an XREAD begins behind its id
	if id := (streams.ID{Ms: uint64(max(since, 0))}); id.Compare(r.pos.Id) < 0 {
		r.pos, r.since = streams.Position{Id: id, Index: -1}, id
	}
	r.begun = true
	return nil
}

// look checks the position and reads without waiting, both in one transaction so that nothing is
// trimmed between the two. more tells that there may be more to read at once.
func (r *streamReader) look(l *link) (more bool, err error) {
	asked := r.entries()
	began := time.Now()
	pipe := l.TxPipeline()
	told, at := r.ask(pipe)
	read := pipe.XRead(r.h.ctx, r.args(asked, -1))
	stop := r.watch(l, 0)
	_, err = pipe.Exec(r.h.ctx)
	stop()
	if err != nil && !refused(err) {
		return false, fmt.Errorf("XREAD %s: %w", r.t.key, err)
	}
	if isDenied(err) {
		return false, err
	}
	if judge(err) == withOther { // Redis says only that a command was refused, not which
		for _, cmd := range []redis.Cmder{l.XInfoStream(r.h.ctx, r.t.key), l.XRead(r.h.ctx, r.args(1, -1))} {
			if isDenied(cmd.Err()) {
				return false, cmd.Err()
			}
		}
		if !r.bare {
			r.bare = true // it may be what can be done without
			return true, nil
		}
	}
	info, err := told()
	if err != nil {
		return false, err
	}
	r.looked = time.Now()
	now := streams.ID{Ms: uint64(at.Val().UnixMilli())} //nolint:gosec // a time of our age
	if r.since == (streams.ID{}) {
		r.since = now
	}
	from := r.pos.Id
	if lost, gap := r.pos.Check(info); gap != nil {
		r.gap(gap, uint64(lost))
		if streams.Forgetful(gap) {
			r.since = now
			r.h.tellForgotten(from)
		}
		if r.pos.Id != from { // what was read was read from elsewhere
			return true, nil
		}
	}
	n, err := r.take(read)
	if err != nil {
		return false, err
	}
	r.pos.CaughtUp(info)
	return !r.reached(int64(n) < asked, began), nil
}

// ask asks pipe about the stream, whether what was read last is there, and for the time, as far as it may.
func (r *streamReader) ask(pipe redis.Cmdable) (told func() (streams.Info, error), at *redis.TimeCmd) {
	ctx := r.h.ctx
	if r.bare {
		at = redis.NewTimeCmd(ctx)
		at.SetVal(time.Now()) // ours
		return lookAt(ctx, pipe, r.t.key), at
	}
	return lookFor(ctx, pipe, r.t.key, r.pos.Id), pipe.Time(ctx)
}

// follow waits for entries and reads them as they come, until it is time to look again.
func (r *streamReader) follow(l *link) error {
	for {
		asked, began := r.entries(), time.Now()
		stop := r.watch(l, readBlock)
		read := l.XRead(r.h.ctx, r.args(asked, readBlock))
		stop()
		n, err := r.take(read)
		if err != nil {
			return err
		}
		if !r.reached(int64(n) < asked, began) || n == 0 && time.Since(r.looked) > r.t.recheck {
			return nil
		}
	}
}

// reached notes whether a read that began at that time came to the end of the stream, and passes it on.
func (r *streamReader) reached(end bool, began time.Time) bool {
	if end {
		r.h.heard.Store(&began)
	}
	return end
}

// watch closes the connection unless the read that waits for block returns in time; call what it
// returns after the read.
func (r *streamReader) watch(l *link, block time.Duration) (stop func()) {
	t := time.AfterFunc(block+readSilence, func() { l.conn.Close() })
	return func() { t.Stop() }
}

func (r *streamReader) entries() int64 {
	return min(readEntries, max(1, readBytes/max(r.t.meanSize.Load(), 1)))
}

// args are those of XREAD; a negative block does not wait.
func (r *streamReader) args(count int64, block time.Duration) *redis.XReadArgs {
	return &redis.XReadArgs{Streams: []string{r.t.key, r.pos.Id.String()}, Count: count, Block: block}
}

// Take gives what was read to the adapters and returns how many entries it was.
func (r *streamReader) take(read *redis.XStreamSliceCmd) (n int, err error) {
	list, err := read.Result()
	if errors.Is(err, redis.Nil) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("XREAD %s: %w", r.t.key, err)
	}
	for _, s := range list {
		for _, m := range s.Messages {
			id, err := streams.ParseID(m.ID)
			if err != nil {
				return n, err
			}
			r.entry(id, m)
			r.pos.Advance(id)
			n++
		}
	}
	return n, nil
}

// entry gives an entry to the adapters of its namespace, once.
func (r *streamReader) entry(id streams.ID, m redis.XMessage) {
	e, stamp, bad := streams.ReadEntry(m.Values)
	r.t.sized(e.Size())
	if bad != nil {
		r.h.Reject(r.t.key, bad)
		return
	}
	own := false
	if origin, n, ok := streams.ReadStamp(stamp); ok {
		again, missed := r.origin.Take(origin, n)
		switch own = origin == r.h.id; {
		case again:
			return
		case missed > 0 && !own:
			r.gap(streams.ErrSeqJump, missed)
		}
	}
	if latest, ok := streams.ReadForgotten(e); ok { // also if this instance's publisher says so
		r.told(id, latest)
		return
	}
	if own {
		return
	}
	if e.Size() > r.h.cfg.MaxMessage+streams.EntryOverhead {
		r.h.Reject(r.t.key, wire.ErrTooLarge)
		return
	}
	for _, to := range r.h.routes.in(e.Nsp) {
		r.h.guard(func() { to.ReceiveEntry(e) })
	}
}

// told counts what another instance tells of, at id: that Redis has forgotten entries up to the latest.
func (r *streamReader) told(id, latest streams.ID) {
	if latest.Compare(r.since) <= 0 {
		return // found out here, too, or told before, or from before this instance listened
	}
	r.since = id
	r.gap(fmt.Errorf("%w: up to %v", streams.ErrForgotten, latest), 0)
}

// gap counts entries that are lost to this instance.
func (r *streamReader) gap(reason error, missed uint64) {
	h := r.h
	h.gaps.Add(1)
	h.missed.Add(missed)
	h.fault.warn("Messages of other instances are lost", reason)
	h.log.Debug("gap in the stream", slog.Any("err", reason), slog.Uint64("missed", missed))
	h.tellMissed()
	if h.cfg.OnGap != nil {
		h.Protect("OnGap", func() { h.cfg.OnGap(Gap{Reason: reason, Missed: missed}) })
	}
}

// reload makes a Redis Cluster client find out anew which server has what.
func (h *Hub) reload() {
	if c, ok := h.redis.Client.(*redis.ClusterClient); ok {
		c.ReloadState(context.WithoutCancel(h.ctx))
	}
}

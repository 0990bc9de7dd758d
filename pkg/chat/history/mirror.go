package history

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// mirrorCount bounds the mirror, besides the bytes of Limits.
const mirrorCount = 500

// mirror is what this instance knows of the lobby's newest messages. However many clients ask at once, Redis is asked for what is new by one
// flight after another, and a client waits for one that began after it had asked.
type mirror struct {
	limit int // messages, static

	mu     sync.Mutex
	list   []Message // replaced, never changed
	whole  bool      // there are no older ones
	next   *flight   // that has not begun
	flying bool
}

// A flight asks Redis once.
type flight struct {
	landed chan struct{}
	err    error // once landed
}

// refresh returns when the mirror has all that was in the stream at the time of the call.
func (s *Redis) refresh(ctx context.Context) error {
	m := &s.mirror
	m.mu.Lock()
	if m.next == nil {
		m.next = &flight{landed: make(chan struct{})}
	}
	f := m.next
	if !m.flying && s.ctx.Err() == nil {
		m.flying = true
		s.wg.Go(s.fly)
	}
	m.mu.Unlock()
	select {
	case <-f.landed:
		return f.err
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-s.ctx.Done():
		return context.Cause(s.ctx)
	}
}

// fly flies until nobody waits.
func (s *Redis) fly() {
	m := &s.mirror
	for {
		m.mu.Lock()
		f := m.next
		m.next = nil
		if f == nil {
			m.flying = false
			m.mu.Unlock()
			return
		}
		known, whole := m.list, m.whole
		m.mu.Unlock()
		known, whole, err := s.readNewest(known, whole)
		known, whole = s.bounded(known, whole)
		m.mu.Lock()
		if err == nil {
			m.list, m.whole = known, whole
		}
		m.mu.Unlock()
		f.err = err
		close(f.landed)
	}
}

// bounded leaves out the oldest messages while there are more bytes than a Redis keeps of the lobby. The last one stays.
func (s *Redis) bounded(list []Message, whole bool) ([]Message, bool) {
	bytes := int64(0)
	for n := len(list) - 1; n >= 0; n-- {
		bytes += list[n].size()
		if bytes > s.limits.Bytes/2 && n < len(list)-1 {
			return slices.Clone(list[n+1:]), false // a copy: the others may go
		}
	}
	return list, whole
}

var errUnknown = errors.New("history: the stream is not the one that is known")

// readNewest adds to known what came since, in one command: the newest messages back to the last of known. If there are too many, they take
// the place of known. If they are few and that last one is not among them (a Redis that took over may lack it), it begins anew.
func (s *Redis) readNewest(known []Message, whole bool) ([]Message, bool, error) {
	ctx, cancel := context.WithTimeout(s.ctx, pageTimeout)
	defer cancel()
	limit := s.mirror.limit
	if len(known) > 0 {
		last := known[len(known)-1].ID
		fresh, _, err := s.readRange(ctx, "", last, "+", limit)
		switch {
		case err != nil:
			return nil, false, err
		case len(fresh) > 0 && fresh[0].ID == last:
			all := append(slices.Clip(known), fresh[1:]...)
			over := max(len(all)-limit, 0)
			return all[over:], whole && over == 0, nil
		case len(fresh) == limit:
			return fresh, false, nil
		}
	}
	list, err := s.readBefore(ctx, "", ID{}, limit)
	return list, err == nil && len(list) < limit, err
}

func stream(room string) string {
	if room == "" {
		return prefix + "lobby"
	}
	return prefix + "room:" + room
}

// readBefore reads the newest messages before an id, zero: the newest of all.
func (s *Redis) readBefore(ctx context.Context, room string, before ID, count int) ([]Message, error) {
	end := "+"
	if !before.IsZero() {
		end = "(" + redisID(before)
	}
	list, _, err := s.readRange(ctx, room, s.oldestID(), end, count)
	return list, err
}

// readRange reads the newest messages from an id to an end that Redis understands, oldest first, and tells of each whether it is of others.
func (s *Redis) readRange(ctx context.Context, room string, from ID, end string, count int) (list []Message, foreign []bool, err error) {
	answer, err := s.client.Do(ctx, "XREVRANGE", stream(room), end, redisID(from), "COUNT", count).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return nil, nil, fmt.Errorf("read %s: %w", stream(room), err)
	}
	list, foreign, err = s.readEntries(room, answer)
	slices.Reverse(list)
	slices.Reverse(foreign)
	return list, foreign, err
}

// oldestID is where what is young enough begins.
func (s *Redis) oldestID() ID { return at(time.Now().Add(-s.limits.Age)) }

// redisID is an id as Redis writes it.
func redisID(id ID) string {
	return strconv.FormatUint(id.Ms, 10) + "-" + strconv.FormatUint(id.Seq, 10)
}

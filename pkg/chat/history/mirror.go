package history

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// mirrorCount bounds the mirror.
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
		known := m.list
		m.mu.Unlock()
		list, whole, err := s.readNewest(known)
		m.mu.Lock()
		if err == nil {
			if len(known) == 0 || len(list) == 0 || list[0].ID.Compare(known[0].ID) != 0 {
				m.whole = whole
			}
			m.list = list
		}
		m.mu.Unlock()
		f.err = err
		close(f.landed)
	}
}

var errUnknown = errors.New("history: the stream is not the one that is known")

// readNewest adds to known what came since. If the last of known is not there any more, it begins anew.
func (s *Redis) readNewest(known []Message) (list []Message, whole bool, err error) {
	ctx, cancel := context.WithTimeout(s.ctx, pageTimeout)
	defer cancel()
	if len(known) > 0 {
		list, err := s.readAfter(ctx, "", known[len(known)-1].ID, s.mirror.limit)
		if err == nil && len(list) < s.mirror.limit {
			all := append(known[:len(known):len(known)], list...)
			over := max(len(all)-s.mirror.limit, 0)
			return all[over:], s.isWhole() && over == 0, nil
		}
		if err != nil && !errors.Is(err, errUnknown) {
			return nil, false, err
		}
	}
	list, err = s.readBefore(ctx, "", ID{}, s.mirror.limit)
	return list, err == nil && len(list) < s.mirror.limit, err
}

func (s *Redis) isWhole() bool {
	s.mirror.mu.Lock()
	defer s.mirror.mu.Unlock()
	return s.mirror.whole
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
	answer, err := s.client.Do(ctx, "XREVRANGE", stream(room), end, redisID(s.oldestID()), "COUNT", count).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return nil, err
	}
	list, _, err := readEntries(room, answer)
	for i, j := 0, len(list)-1; i < j; i, j = i+1, j-1 {
		list[i], list[j] = list[j], list[i]
	}
	return list, err
}

// readAfter reads what came after an id. The error is errUnknown if that is not kept any more; there may be messages all the same.
func (s *Redis) readAfter(ctx context.Context, room string, after ID, count int) ([]Message, error) {
	answer, err := s.client.Do(ctx, "XRANGE", stream(room), redisID(after), "+", "COUNT", count+1).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return nil, err
	}
	list, _, err := readEntries(room, answer)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 || list[0].ID != after {
		return list[:min(len(list), count)], errUnknown
	}
	return list[1:], nil
}

// oldestID is where what is young enough begins.
func (s *Redis) oldestID() ID {
	return ID{Ms: uint64(max(time.Now().Add(-s.limits.Age).UnixMilli(), 0))}
}

// redisID is an id as Redis writes it.
func redisID(id ID) string {
	return strconv.FormatUint(id.Ms, 10) + "-" + strconv.FormatUint(id.Seq, 10)
}

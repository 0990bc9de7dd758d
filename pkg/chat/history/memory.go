package history

import (
	"container/list"
	"context"
	"slices"
	"sync"
	"time"
)

// Memory is a Store of this process. Appends are kept at once. It has no goroutine: what is too old goes
// with the next call.
type Memory struct {
	limits Limits
	now    func() time.Time

	mu    sync.Mutex // guards the rest
	last  ID         // of the latest message
	lobby record
	rooms map[string]*list.Element // of used
	used  *list.List               // *record of rooms but the lobby, the one used last first
	bytes int64                    // of those
}

// A record is what is kept of one room: list[first:], oldest first.
type record struct {
	room  string
	list  []Message
	first int
	bytes int64
}

var _ Store = (*Memory)(nil)

// NewMemory returns an empty store.
func NewMemory(limits Limits) *Memory {
	return &Memory{limits: limits, now: time.Now, rooms: map[string]*list.Element{}, used: list.New()}
}

// Append keeps a message at once.
func (s *Memory) Append(m Message, done func(Receipt)) {
	m.Payload = own(m.Payload)
	s.mu.Lock()
	now := s.now()
	s.last = s.last.next(now)
	m.ID = s.last
	r := s.recordLocked(m.Room)
	before := r.bytes
	r.add(m)
	r.trim(s.limits, now)
	if m.Room == "" {
		r.shrink(s.limits.Bytes / 2)
	} else {
		s.bytes += r.bytes - before
		s.makePlaceLocked(r)
	}
	s.expireLocked(now)
	s.mu.Unlock()
	if done != nil {
		done(Receipt{m.ID, true})
	}
}

// recordLocked is the room's record, which is the one used last now.
func (s *Memory) recordLocked(room string) *record {
	if room == "" {
		return &s.lobby
	}
	e := s.rooms[room]
	if e == nil {
		e = s.used.PushFront(&record{room: room})
		s.rooms[room] = e
	}
	s.used.MoveToFront(e)
	return e.Value.(*record)
}

// makePlaceLocked lets rooms go, the one that was used longest ago first, until the rest is within its bound. The last one left, r, gives away
// its oldest messages.
func (s *Memory) makePlaceLocked(r *record) {
	most := s.limits.Bytes / 2
	for s.bytes > most {
		oldest := s.used.Back().Value.(*record)
		if oldest == r {
			s.bytes -= r.shrink(most)
			return
		}
		s.removeLocked(oldest)
	}
}

// expireLocked lets rooms go in which nobody has spoken for too long.
func (s *Memory) expireLocked(now time.Time) {
	for e := s.used.Back(); e != nil; e = s.used.Back() {
		r := e.Value.(*record)
		if n := len(r.list); n > r.first && now.Sub(time.UnixMilli(int64(r.list[n-1].ID.Ms))) <= s.limits.Age {
			return
		}
		s.removeLocked(r)
	}
}

func (s *Memory) removeLocked(r *record) {
	s.used.Remove(s.rooms[r.room])
	delete(s.rooms, r.room)
	s.bytes -= r.bytes
}

// Page answers a query.
func (s *Memory) Page(_ context.Context, q Query) (Page, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	s.expireLocked(now)
	if q.Room == "" {
		s.lobby.trim(s.limits, now)
		return s.lobby.page(q), nil
	}
	e := s.rooms[q.Room]
	if e == nil {
		return Page{Gap: !q.After.IsZero()}, nil
	}
	r := e.Value.(*record)
	before := r.bytes
	r.trim(s.limits, now)
	s.bytes += r.bytes - before
	return r.page(q), nil
}

// Close does nothing.
func (s *Memory) Close(context.Context) error { return nil }

func (r *record) add(m Message) {
	r.list = append(r.list, m)
	r.bytes += m.size()
}

// trim lets go what is too old or too much by count.
func (r *record) trim(limits Limits, now time.Time) {
	oldest := at(now.Add(-limits.Age))
	for len(r.list)-r.first > 0 && (len(r.list)-r.first > limits.Count || r.list[r.first].ID.Compare(oldest) < 0) {
		r.drop()
	}
}

// shrink lets the oldest go until r has at most that many bytes, and tells how many bytes went.
func (r *record) shrink(bytes int64) (gone int64) {
	before := r.bytes
	for r.bytes > bytes && r.first < len(r.list) {
		r.drop()
	}
	return before - r.bytes
}

func (r *record) drop() {
	r.bytes -= r.list[r.first].size()
	r.list[r.first] = Message{}
	if r.first++; r.first*2 > len(r.list) {
		n := copy(r.list, r.list[r.first:])
		clear(r.list[n:])
		r.list, r.first = r.list[:n], 0
	}
}

func (r *record) page(q Query) (p Page) {
	kept := r.list[r.first:]
	find := func(id ID) (int, bool) {
		return slices.BinarySearchFunc(kept, id, func(m Message, id ID) int { return m.ID.Compare(id) })
	}
	first := false
	switch {
	case !q.After.IsZero():
		i, found := find(q.After)
		p.Gap, first = !found, true
		if found {
			i++
		}
		kept = kept[i:]
	case !q.Before.IsZero():
		i, _ := find(q.Before)
		kept = kept[:i]
	}
	kept, p.More = cut(kept, q.Limit, first)
	p.Messages = slices.Clone(kept)
	return p
}

package history

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
)

// Page answers a query: of the lobby from the mirror, after a look for what is new, as far as that goes; of what is older, and of rooms, from
// Redis. Without Redis the page is what the mirror has, and partial.
func (s *Redis) Page(ctx context.Context, q Query) (Page, error) {
	ctx, cancel := context.WithTimeout(ctx, pageTimeout)
	defer cancel()
	if q.Room == "" {
		err := s.refresh(ctx)
		p, whole := s.mirrored(q)
		if err != nil {
			p.Partial = true
			return p, nil
		}
		if whole {
			return p, nil
		}
	}
	p, err := s.read(ctx, q)
	if err != nil {
		s.log.Warn("page", "clients who ask what was said get no answer from Redis", slog.Any("error", err))
		if q.Room == "" {
			p, _ = s.mirrored(q)
		}
		p.Partial = true
	}
	return p, nil
}

// mirrored answers from the mirror, and tells whether Redis would say the same.
func (s *Redis) mirrored(q Query) (p Page, whole bool) {
	s.mirror.mu.Lock()
	r := record{list: s.mirror.list}
	all := s.mirror.whole
	s.mirror.mu.Unlock()
	r.list = slices.Clip(r.list)
	for r.first < len(r.list) && r.list[r.first].ID.Compare(s.oldestID()) < 0 {
		r.first++
	}
	p = r.page(q)
	switch {
	case !q.After.IsZero():
		whole = !p.Gap
	case all:
		whole = true
	default:
		whole = p.More && len(p.Messages) > 0
		p.More = true // what is older is in the stream only
	}
	return p, whole
}

// read asks Redis.
func (s *Redis) read(ctx context.Context, q Query) (p Page, err error) {
	var list []Message
	var more, cutOff bool
	if q.After.IsZero() {
		list, more, err = s.readBack(ctx, q)
	} else {
		list, more, err = s.readOn(ctx, q)
		if errors.Is(err, errUnknown) {
			p.Gap, err = true, nil
		}
	}
	if err != nil {
		return Page{}, err
	}
	p.Messages, cutOff = cut(list, q.Limit, !q.After.IsZero())
	p.More = more || cutOff
	return p, nil
}

// readBack reads the newest messages before an id, zero: the newest of all. With more there may be others.
func (s *Redis) readBack(ctx context.Context, q Query) (list []Message, more bool, err error) {
	end := "+"
	if !q.Before.IsZero() {
		end = "(" + redisID(q.Before)
	}
	list, more, err = s.readPart(ctx, q.Room, "XREVRANGE", end, redisID(s.oldestID()), q.Limit+1, 0)
	slices.Reverse(list)
	return list, more, err
}

// readOn reads what came after an id. The error is errUnknown if that is not kept any more; there may be messages all the same.
func (s *Redis) readOn(ctx context.Context, q Query) (list []Message, more bool, err error) {
	list, more, err = s.readPart(ctx, q.Room, "XRANGE", redisID(q.After), "+", q.Limit+2, 1)
	if err != nil {
		return nil, false, err
	}
	if len(list) == 0 || list[0].ID != q.After {
		return list[:min(len(list), q.Limit+1)], more, errUnknown
	}
	return list[1:], more, nil
}

// readPart reads no more than a page can hold, and a little; see page.lua. Only a few do so at a time: Redis does nothing else meanwhile, and
// what the others ask for waits here.
func (s *Redis) readPart(ctx context.Context, room, command, from, to string, count, free int) (list []Message, more bool, err error) {
	select {
	case s.reading <- struct{}{}:
		defer func() { <-s.reading }()
	case <-ctx.Done():
		return nil, false, context.Cause(ctx)
	}
	answer, err := pageScript.Run(ctx, s.client, []string{stream(room)}, command, from, to, count, pageBytes, free).Slice()
	if err != nil {
		return nil, false, fmt.Errorf("read %s: %w", stream(room), err)
	}
	if len(answer) != 2 {
		return nil, false, errEntry
	}
	list, _, err = s.readEntries(room, answer[0])
	return list, answer[1] == int64(1), err
}

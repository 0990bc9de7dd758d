package history

import (
	"context"
	"errors"
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
	if q.After.IsZero() {
		list, err = s.readBefore(ctx, q.Room, q.Before, q.Limit+1)
	} else {
		list, err = s.readAfter(ctx, q.Room, q.After, q.Limit+1)
		if errors.Is(err, errUnknown) {
			p.Gap, err = true, nil
		}
	}
	if err != nil {
		return Page{}, err
	}
	p.Messages, p.More = cut(list, q.Limit, !q.After.IsZero())
	return p, nil
}

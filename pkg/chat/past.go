package chat

import (
	"context"
	"time"

	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/chat/history"
)

// History is where messages are kept, and what clients are told of it.
type History struct {
	Store  history.Store // nil: nothing is kept
	Limits history.Limits
}

// The messages of a page.
const (
	defaultPage = 50
	maxPage     = 200
)

// features answers what there is to ask for.
func (g *Gateway) features(_ context.Context, s *socket.Socket, _ struct{}) (Features, error) {
	f := Features{
		Presence: g.people != nil, Typing: g.people != nil, Rooms: g.opts.Rooms, Private: g.private(),
		Version: Version, Now: time.Now().UnixMilli(),
	}
	if g.opts.History.Store != nil {
		f.History = &HistoryFeature{Limit: g.opts.History.Limits.Count, Hours: int((g.opts.History.Limits.Age + time.Hour - 1) / time.Hour)}
	}
	if g.opts.NameOf != nil {
		name := g.opts.NameOf(s)
		f.Name = &name
	}
	return f, nil
}

// past answers a page of what was said.
func (g *Gateway) past(ctx context.Context, s *socket.Socket, in HistoryRequest) (HistoryAnswer, error) {
	store := g.opts.History.Store
	if store == nil {
		return HistoryAnswer{}, &Problem{Off, "this chat keeps no messages"}
	}
	if !g.isIn(s, in.Room) {
		return HistoryAnswer{}, errNotJoined
	}
	q, err := g.query(in)
	if err != nil {
		return HistoryAnswer{}, err
	}
	page, err := store.Page(ctx, q)
	if err != nil {
		return HistoryAnswer{}, err
	}
	out := HistoryAnswer{Messages: make([]KeptMessage, len(page.Messages)), More: page.More, Gap: page.Gap, Partial: page.Partial, Now: time.Now().UnixMilli()}
	for i, m := range page.Messages {
		out.Messages[i] = KeptMessage{ID: m.ID.String(), Time: int64(m.ID.Ms), Payload: m.Payload, From: m.From, Room: in.Room}
	}
	return out, nil
}

func (g *Gateway) query(in HistoryRequest) (q history.Query, err error) {
	q = history.Query{Room: in.Room, Limit: in.Limit}
	if q.Limit == 0 {
		q.Limit = defaultPage
	}
	if q.Limit < 0 {
		return q, &Problem{BadRequest, "limit must not be negative"}
	}
	q.Limit = min(q.Limit, maxPage, g.opts.History.Limits.Count)
	if in.Before != "" && in.After != "" {
		return q, &Problem{BadRequest, "before and after exclude each other"}
	}
	if in.Before != "" {
		q.Before, err = history.ParseID(in.Before)
	}
	if in.After != "" {
		q.After, err = history.ParseID(in.After)
	}
	if err != nil {
		return q, &Problem{BadRequest, "before and after are ids of messages, as history gives them"}
	}
	return q, nil
}

package redisadapter

import (
	"context"
	"time"

	"socketio-chat/pkg/redisadapter/internal/wire"
)

// JoinRecovery is called by the Server of the adapter if recovery is on.
func (a *Adapter) JoinRecovery() {
	a.PublishAs(string(a.uid))
	if _, ok := a.format.(*parsed); ok {
		return // a parser of the application's: no place for the number
	}
	a.SetPeers(a.sessions)
}

// sessionPeers is what the exchange of sessions needs of an Adapter.
type sessionPeers struct{ a *Adapter }

func (p sessionPeers) AskPeers(ctx context.Context, req *wire.Request, one bool, take func(*wire.Response) bool, done func(wire.Census, error)) {
	a := p.a
	g := &gather{
		what: "find a session",
		ctx:  ctx,
		ids:  []string{req.RequestID},
		want: func(c wire.Census) int {
			if one {
				return min(c.Ours-1, 1)
			}
			return c.Ours - 1
		},
		soon: true, // the state of this instance's queue says nothing of a session
		start: func(wire.Census) []wire.Out {
			o, err := a.format.Peers(req)
			if err != nil {
				a.hub.Drop(err)
				return nil
			}
			return []wire.Out{o}
		},
		counts: take,
	}
	g.done = func(err error) { done(g.counted(), err) }
	a.gatherAnswers(g)
}

// Answer answers without regard to what is queued: events have numbers, and what is not published yet is known by its own.
func (p sessionPeers) Answer(req *wire.Request, r *wire.Response) {
	it, err := p.a.format.Answer(req, r)
	it.Soon = true
	p.a.push(err, it)
}

func (p sessionPeers) Ordered() bool              { return p.a.format.Legacy() }
func (p sessionPeers) Joined() bool               { return p.a.hub.IsJoined() }
func (p sessionPeers) Gaps() uint64               { return p.a.hub.GapCount() }
func (p sessionPeers) Heard() time.Time           { return p.a.hub.Heard() }
func (p sessionPeers) Go(f func())                { p.a.hub.Spawn(f) }
func (p sessionPeers) Context() context.Context   { return p.a.hub.Context() }
func (p sessionPeers) Warn(msg string, err error) { p.a.hub.Warn(msg, err) }
func (p sessionPeers) Busy() bool                 { return p.a.hub.Busy() }

package redisadapter

import (
	"context"
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

func (p sessionPeers) AskPeers(req *request, take func(*response), done func(error)) {
	a := p.a
	a.gatherAnswers(&gather{
		what: "find a session",
		ids:  []string{req.RequestID},
		want: func(c census) int { return c.ours - 1 },
		start: func(census) []out {
			o, err := a.format.peers(req)
			if err != nil {
				a.hub.drop(item{}, err)
				return nil
			}
			return []out{o}
		},
		take: take,
		done: done,
	})
}

func (p sessionPeers) Answer(req *request, r *response) { p.a.publishResponse(req, r) }
func (p sessionPeers) Ordered() bool                    { return p.a.format.legacy() }
func (p sessionPeers) Gaps() uint64                     { return p.a.hub.gaps.Load() }
func (p sessionPeers) Go(f func())                      { p.a.hub.done.Go(f) }
func (p sessionPeers) Context() context.Context         { return p.a.hub.ctx }

func (p sessionPeers) Busy() bool {
	_, queued := p.a.hub.queue.len()
	return queued > p.a.hub.cfg.queueBytes/2
}

// missed tells that messages before those to come may be lost.
func (a *Adapter) missed() { a.sessions.missed() }

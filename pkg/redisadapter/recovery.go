package redisadapter

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/zishang520/socket.io/v2/adapter"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/socketio"
)

// Connection state recovery across instances. With it on (socketio.Options.Recovery), each broadcast
// carries its place in its sender's sequence, as "seq", where Node does not look:
//
//	classic       [uid, packet, {rooms, except, flags, seq}]
//	cluster wire  {type: BROADCAST, uid, nsp, data: {packet, opts, seq}}
//
// So any two instances can tell what one had delivered that the other has not, whatever the mode. A
// client that comes to B with a session of A:
//
//	client ── CONNECT {pid, offset} ──► B ── sessionRequest: pid, offset, what B keeps ──► all of ours
//	                                    B ◄── A: the session, what was missed (what B keeps, by id alone),
//	                                          and up to where A had the events of each instance
//	client ◄── CONNECT, what was missed, what A had not had, what comes live ── B
//
// A has ended its own copy when it answers. Everybody else answers that he does not know, and how far
// he has published. If nobody knows, the session may be in Redis: instances that end in order leave
// sessions and what is kept there (Store). Node's messages carry no number; B's request itself, which
// comes back to B in the order of all messages, divides what A hands over from what B goes on with.
const sessionRequest adapter.MessageType = 120

// sessionQuestion is the data of a sessionRequest.
type sessionQuestion struct {
	Pid    socket.PrivateSessionId     `json:"pid"`
	Offset string                      `json:"offset"`
	Kept   map[string]socketio.Numbers `json:"kept"`
}

// sessionAnswer is the data of the answer.
type sessionAnswer struct {
	Session   *socketio.HandedSession `json:"session,omitempty"`
	Refusal   socketio.Refusal        `json:"refusal,omitempty"`
	Origin    string                  `json:"origin"`
	Published uint64                  `json:"published"`
}

// takeTimeout bounds how long an instance waits for the old connection of a client.
const takeTimeout = 700 * time.Millisecond

// maxTakes bounds how many of those waits there may be at a time in a namespace.
const maxTakes = 256

// JoinRecovery is called by the Server of the adapter if recovery is on.
func (a *Adapter) JoinRecovery() {
	a.PublishAs(string(a.uid))
	if _, ok := a.format.(*parsed); ok {
		return // a parser of the application's: no place for the number
	}
	a.SetPeers(a)
}

// Lost tells whether the subscriptions had a gap since it was last called.
func (a *Adapter) Lost() bool {
	now := a.hub.gaps.Load()
	return a.gapsSeen.Swap(now) != now
}

// missed makes that a client which is after a gap already can be recovered, and no other. (A gap
// that is not over yet is found by Lost.)
func (a *Adapter) missed() {
	if a.Recovers() {
		a.Lost()
		a.CutRecovery()
	}
}

// taken is what came of asking for a session.
type taken struct {
	session *socketio.HandedSession
	mark    uint64
	why     socketio.Refusal
}

// Take asks the other instances for a session, then Redis.
func (a *Adapter) Take(pid socket.PrivateSessionId, offset string, deadline time.Time) (*socketio.HandedSession, uint64, socketio.Refusal) {
	kept, _, _ := a.Kept()
	q, err := encodeJSON(sessionQuestion{pid, offset, kept})
	if err != nil {
		return nil, 0, socketio.RefusedUnknown
	}
	req := &request{RequestID: newID(), Type: sessionRequest, Data: json.RawMessage(q)}
	done := make(chan taken, 1)
	settle := func(t taken) {
		select {
		case done <- t:
		default: // settled already
		}
	}
	published := map[string]uint64{}
	why := socketio.RefusedUnknown
	a.expectMark(req.RequestID)
	defer a.takeMark(req.RequestID)
	a.gatherAnswers(&gather{
		what: "find a session",
		ids:  []string{req.RequestID},
		want: func(c census) int { return c.ours - 1 },
		start: func(census) []out {
			it, err := a.format.peers(req)
			if err != nil {
				return nil
			}
			return []out{it}
		},
		take: func(r *response) {
			var answer sessionAnswer
			if json.Unmarshal(r.Data, &answer) != nil {
				return
			}
			published[answer.Origin] = answer.Published
			if answer.Refusal > why {
				why = answer.Refusal
			}
			if answer.Session != nil {
				settle(taken{session: answer.Session, mark: a.takeMark(req.RequestID)})
			}
		},
		done: func(err error) {
			if err != nil {
				settle(taken{why: socketio.RefusedTimeout})
				return
			}
			settle(taken{why: why})
		},
	})
	timeout := time.NewTimer(time.Until(deadline))
	defer timeout.Stop()
	select {
	case t := <-done:
		if t.session != nil || t.why != socketio.RefusedUnknown {
			return t.session, t.mark, t.why
		}
		h, why := a.takeStored(pid, offset, kept, published, deadline)
		return h, 0, why
	case <-timeout.C:
		return nil, 0, socketio.RefusedTimeout
	}
}

// expectMark, passMark and takeMark keep the place in the order of events at which a request of ours came
// back. It means something on the classic wire, whose messages all come over one connection.
func (a *Adapter) expectMark(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.marks[id] = 0
}

func (a *Adapter) passMark(req *request) {
	if req.Type != sessionRequest || !a.format.legacy() {
		return
	}
	mark := a.Mark()
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, ours := a.marks[req.RequestID]; ours {
		a.marks[req.RequestID] = mark
	}
}

func (a *Adapter) takeMark(id string) uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	mark := a.marks[id]
	delete(a.marks, id)
	return mark
}

// handleSession answers whether we have a session, with it.
func (a *Adapter) handleSession(req *request) error {
	if !a.Recovers() {
		a.answerSession(req, sessionAnswer{})
		return nil
	}
	var q sessionQuestion
	if err := json.Unmarshal(req.Data, &q); err != nil {
		return fmt.Errorf("%w: %w", errRequest, err)
	}
	answer := sessionAnswer{}
	_, answer.Origin, answer.Published = a.Kept()
	if !a.HasSession(q.Pid) {
		a.answerSession(req, answer)
		return nil
	}
	mark := uint64(0)
	if a.format.legacy() {
		mark = a.Mark()
	}
	if _, queued := a.hub.queue.len(); queued > a.hub.cfg.queueBytes/2 {
		answer.Refusal = socketio.RefusedTimeout // the messages of the chat come first
		a.answerSession(req, answer)
		return nil
	}
	select {
	case a.takes <- struct{}{}:
	default:
		answer.Refusal = socketio.RefusedTimeout
		a.answerSession(req, answer)
		return nil
	}
	deadline := time.Now().Add(takeTimeout)
	a.hub.done.Go(func() { // ends at the deadline
		defer func() { <-a.takes }()
		answer.Session, answer.Refusal = a.TakeSession(q.Pid, q.Offset, q.Kept, mark, deadline)
		a.answerSession(req, answer)
	})
	return nil
}

func (a *Adapter) answerSession(req *request, answer sessionAnswer) {
	b, err := encodeJSON(answer)
	if err != nil {
		a.hub.drop(item{}, err)
		return
	}
	a.publishResponse(req, &response{Data: json.RawMessage(b)})
}

// sessionKey and logKey are where Store leaves what it stores.
func (a *Adapter) sessionKey(pid socket.PrivateSessionId) string {
	return a.hub.cfg.key + "-session#" + a.nsp + "#" + string(pid)
}

func (a *Adapter) logKey(id string) string { return a.hub.cfg.key + "-session-log#" + a.nsp + "#" + id }

// storedSession is the value of a sessionKey.
type storedSession struct {
	Log     string          `json:"log"`
	Session json.RawMessage `json:"session"`
}

// storeBatch is how many sessions go into one pipeline.
const storeBatch = 256

// Store leaves sessions, and the log they need, in Redis.
func (a *Adapter) Store(ctx context.Context, d *socketio.SessionDump) error {
	id := newID()
	b, err := encodeJSON(d.Log)
	if err != nil {
		return fmt.Errorf("describe what clients may have missed: %w", err)
	}
	// The log first: who finds a session must find its log.
	if err := a.redis.Client.Set(ctx, a.logKey(id), b, d.TTL).Err(); err != nil {
		return fmt.Errorf("store what clients may have missed: %w", err)
	}
	for list := d.Sessions; len(list) > 0; {
		n := min(len(list), storeBatch)
		_, err := a.redis.Client.Pipelined(ctx, func(p redis.Pipeliner) error {
			for _, s := range list[:n] {
				b, err := encodeJSON(storedSession{id, s.Session})
				if err != nil {
					return err
				}
				p.Set(ctx, a.sessionKey(s.Pid), b, d.TTL)
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("store sessions: %w", err)
		}
		list = list[n:]
	}
	return nil
}

// Discard takes sessions out of Redis again.
func (a *Adapter) Discard(ctx context.Context, pids []socket.PrivateSessionId) error {
	_, err := a.redis.Client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, pid := range pids {
			p.Del(ctx, a.sessionKey(pid))
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("discard stored sessions: %w", err)
	}
	return nil
}

// takeStored takes a session that another instance has left in Redis. published is how far all
// instances have published by now: what is neither in the log nor kept here is lost to the client.
func (a *Adapter) takeStored(pid socket.PrivateSessionId, offset string, kept map[string]socketio.Numbers, published map[string]uint64, deadline time.Time) (*socketio.HandedSession, socketio.Refusal) {
	ctx, cancel := context.WithDeadline(a.hub.ctx, deadline)
	defer cancel()
	b, err := a.redis.Client.GetDel(ctx, a.sessionKey(pid)).Bytes()
	switch {
	case errors.Is(err, redis.Nil):
		return nil, socketio.RefusedUnknown
	case err != nil:
		return nil, socketio.RefusedTimeout
	}
	var s storedSession
	if json.Unmarshal(b, &s) != nil {
		return nil, socketio.RefusedCut
	}
	log, err := a.storedLog(ctx, s.Log)
	switch {
	case errors.Is(err, redis.Nil):
		return nil, socketio.RefusedExpired
	case err != nil:
		return nil, socketio.RefusedTimeout
	}
	h, why := log.Hand(s.Session, offset, kept, a.RecoversFor())
	if h == nil {
		return nil, why
	}
	if a.ListenedFor() > time.Duration(h.Age)*time.Millisecond+dumpMargin {
		return h, why // whatever was published since then came here
	}
	now, _, _ := a.Kept()
	for origin, n := range published {
		if n > h.Seen[origin] && now[origin][1] == 0 {
			return nil, socketio.RefusedCut // published before we were there
		}
	}
	return h, why
}

// dumpMargin is how much longer than a dump is old an instance must have listened to have all since.
const dumpMargin = 2 * time.Second

// storedLog reads a log. The last one is kept for a while: many clients come at once.
func (a *Adapter) storedLog(ctx context.Context, id string) (*socketio.StoredLog, error) {
	a.logs.Lock()
	defer a.logs.Unlock()
	if a.logs.id == id {
		return a.logs.log, nil
	}
	b, err := a.redis.Client.Get(ctx, a.logKey(id)).Bytes()
	if err != nil {
		return nil, err
	}
	log := &socketio.StoredLog{}
	if err := json.Unmarshal(b, log); err != nil {
		return nil, err
	}
	a.logs.id, a.logs.log = id, log
	if a.logs.timer != nil {
		a.logs.timer.Stop()
	}
	a.logs.timer = time.AfterFunc(logFor, func() {
		a.logs.Lock()
		defer a.logs.Unlock()
		if a.logs.id == id {
			a.logs.id, a.logs.log = "", nil
		}
	})
	return log, nil
}

// logFor is how long a log that was read is kept.
const logFor = 10 * time.Second

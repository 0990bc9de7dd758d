package recovery

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/redisadapter/internal/wire"
	"socketio-chat/pkg/socketio"
)

// sessionQuestion is the data of a sessionRequest.
type sessionQuestion struct {
	Pid    socket.PrivateSessionId     `json:"pid"`
	Offset string                      `json:"offset"`
	Kept   map[string]socketio.Numbers `json:"kept"`
	// Owner, if set, is the origin of the only instance that is asked.
	Owner string `json:"owner,omitempty"`
}

// sessionAnswer is the data of the answer.
type sessionAnswer struct {
	Session   *socketio.HandedSession `json:"session,omitempty"`
	Refusal   socketio.Refusal        `json:"refusal,omitempty"`
	Origin    string                  `json:"origin"`
	Published uint64                  `json:"published"`
	// Owners tells that all sessions of this instance have private ids that name an owner; older instances
	// say nothing of that.
	Owners bool `json:"owners,omitempty"`
	// Adopted are the owners of sessions that came here from other instances, and those whose events or answers came here lately. Some of them have
	// ended, or were cut off, perhaps before the one that asks began: in answers to the question who is there.
	Adopted []string `json:"adopted,omitempty"`
	// Lately are the instances that were heard of here a moment ago, in answers to a question to all: one that is missing may have the session.
	Lately []string `json:"lately,omitempty"`
	// Moved is the origin of the instance that the session was handed over to.
	Moved string `json:"moved,omitempty"`
}

const (
	// takeTimeout bounds how long an instance waits for the old connection of a client.
	takeTimeout = 700 * time.Millisecond
	// maxTakes bounds how many of those waits there may be at a time in a namespace.
	maxTakes = 256
)

// cluster is what an exchange needs of the adapter of its namespace.
type cluster interface {
	// AskPeers sends req to our other instances. take gets their answers until ctx ends, one call at a time,
	// and reports whether the answer counts. done is called once, with an error unless all that are waited
	// for have answered: all that are there, or with one the first whose answer counts. The census
	// is of those that Redis counted, also of those that are not waited for because they answer nothing. What they
	// answer later goes to take all the same.
	AskPeers(ctx context.Context, req *wire.Request, one bool, take func(*wire.Response) bool, done func(wire.Census, error))
	// Answer answers a request.
	Answer(req *wire.Request, r *wire.Response)
	// Ordered tells whether requests and events come in one order.
	Ordered() bool
	// Busy tells whether so much waits to be published that sessions have to wait.
	Busy() bool
	// Joined tells whether other instances can be asked.
	Joined() bool
	// Gaps counts the gaps in what was received. Heard is a moment up to which everything has been received.
	Gaps() uint64
	Heard() time.Time
	// Go runs f, for which the end of the adapter waits; Context ends then.
	Go(f func())
	Context() context.Context
	// Warn logs a fault, each kind of which msg names rarely.
	Warn(msg string, err error)
}

// Exchange hands sessions of one namespace over between instances, and to and from Redis. It is the
// socketio.SessionPeers of the namespace. Safe for concurrent use.
type Exchange struct {
	local   *socketio.LocalAdapter
	cluster cluster
	store   keeper
	roster  *roster

	takes    chan struct{} // has an element for each session that is being handed over
	gapsSeen atomic.Uint64 // see Lost

	mu    sync.Mutex
	marks map[string]uint64 // of the questions of searches that are not over, see Pass
}

// keeper is where instances that end leave their sessions.
type keeper interface {
	put(ctx context.Context, id string, d *socketio.SessionDump) error
	discard(ctx context.Context, pids []socket.PrivateSessionId) error
	leave(ctx context.Context, origin string, published uint64, within time.Duration) error
	last(ctx context.Context) (ended []lastWord, err error)
	read(ctx context.Context, pid socket.PrivateSessionId) (json.RawMessage, *socketio.StoredLog, socketio.Refusal)
	remove(ctx context.Context, pid socket.PrivateSessionId) bool
}

// New makes the exchange of a namespace. redis is where sessions are left, under keys that begin with key.
func New(local *socketio.LocalAdapter, c cluster, redis redis.UniversalClient, key, nsp string) *Exchange {
	return &Exchange{
		local: local, cluster: c, store: newSessionStore(redis, key, nsp), roster: newRoster(),
		takes: make(chan struct{}, maxTakes), marks: map[string]uint64{},
	}
}

// Lost tells whether the subscriptions had a gap since it was last called.
func (x *Exchange) Lost() bool {
	now := x.cluster.Gaps()
	return x.gapsSeen.Swap(now) != now
}

// Heard is a moment up to which all events of other instances have come here.
func (x *Exchange) Heard() time.Time { return x.cluster.Heard() }

// Missed notes a gap in what was received that is over: only clients whose offset lies behind it can be
// recovered. (A gap that is not over yet is found by Lost.)
func (x *Exchange) Missed() {
	if x.local.Recovers() {
		x.Lost()
		x.local.CutRecovery()
	}
}

// Store leaves sessions, and the log they need, in Redis.
func (x *Exchange) Store(ctx context.Context, d *socketio.SessionDump) error {
	return x.store.put(ctx, wire.NewID(), d)
}

// Discard takes sessions out of Redis again.
func (x *Exchange) Discard(ctx context.Context, pids []socket.PrivateSessionId) error {
	return x.store.discard(ctx, pids)
}

// Leave tells in Redis how far this instance has published. What it is not allowed to say there it keeps to itself.
func (x *Exchange) Leave(ctx context.Context, within time.Duration) error {
	own, n := x.local.Published()
	err := x.store.leave(ctx, own, n, within)
	if denied(err) {
		x.cluster.Warn(lastDenied, err)
		return nil
	}
	return err
}

// lastDenied is what is logged about it.
const lastDenied = "Redis refuses SADD, SREM, SMEMBERS or EXPIRE of what ended instances leave: instances that begin when others end cannot take over their sessions"

// denied tells whether Redis refuses that for good: also where somebody else has the key.
func denied(err error) bool {
	return redis.HasErrorPrefix(err, "NOPERM") || redis.HasErrorPrefix(err, "WRONGTYPE")
}

// expect, pass and mark keep the place in the order of events at which a question of ours came back. It
// means something where requests and events come in one order.
func (x *Exchange) expect(id string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.marks[id] = 0
}

// Pass notes that a question of ours has come back.
func (x *Exchange) Pass(req *wire.Request) {
	if req.Type != wire.SessionRequest || !x.cluster.Ordered() {
		return
	}
	mark := x.local.Mark()
	x.mu.Lock()
	defer x.mu.Unlock()
	if _, ours := x.marks[req.RequestID]; ours {
		x.marks[req.RequestID] = mark
	}
}

// mark returns where a question of ours came back.
func (x *Exchange) mark(id string) uint64 {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.marks[id]
}

// unmark forgets that.
func (x *Exchange) unmark(ids []string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, id := range ids {
		delete(x.marks, id)
	}
}

// Handle answers whether we have a session, with it.
func (x *Exchange) Handle(req *wire.Request) error {
	if !x.local.Recovers() {
		return x.answer(req, sessionAnswer{})
	}
	var q sessionQuestion
	if err := json.Unmarshal(req.Data, &q); err != nil {
		return fmt.Errorf("%w: %w", wire.ErrRequest, err)
	}
	if req.UID != "" {
		x.roster.met(socketio.OriginText(req.UID), time.Now())
	}
	answer := sessionAnswer{}
	answer.Origin, answer.Published = x.local.Published()
	if q.Owner != "" && q.Owner != answer.Origin {
		return nil // another one is asked
	}
	answer.Owners = x.local.NamesOwners()
	if q.Pid == "" {
		answer.Adopted = x.owners(time.Now())
		return x.answer(req, answer)
	}
	if !x.local.HasSession(q.Pid) {
		answer.Moved, answer.Refusal = x.local.MovedTo(q.Pid)
		if q.Owner == "" {
			answer.Lately = x.lately()
		}
		return x.answer(req, answer)
	}
	mark := uint64(0)
	if x.cluster.Ordered() {
		mark = x.local.Mark()
	}
	if x.cluster.Busy() || time.Since(x.cluster.Heard()) > socketio.MaxBehind {
		answer.Refusal = socketio.RefusedTimeout // the messages of the chat come first
		return x.answer(req, answer)
	}
	select {
	case x.takes <- struct{}{}:
	default:
		answer.Refusal = socketio.RefusedTimeout
		return x.answer(req, answer)
	}
	deadline := time.Now().Add(takeTimeout)
	x.cluster.Go(func() { // ends at the deadline
		defer func() { <-x.takes }()
		answer.Session, answer.Refusal = x.local.TakeSession(q.Pid, q.Offset, q.Kept, mark, socketio.OriginText(req.UID), deadline)
		_ = x.answer(req, answer)
	})
	return nil
}

// owners are the instances that may have sessions, as far as is known here.
func (x *Exchange) owners(now time.Time) []string {
	list := append(x.local.ForeignOwners(), x.roster.lately(x.local.RecoversFor(), now)...)
	kept, _, _ := x.local.Kept()
	for origin := range kept {
		if len(list) < 3*maxTold {
			list = append(list, origin)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func (x *Exchange) answer(req *wire.Request, answer sessionAnswer) error {
	b, err := wire.EncodeJSON(answer)
	if err == nil {
		x.cluster.Answer(req, &wire.Response{Data: json.RawMessage(b)})
	}
	return err
}

package recovery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/redisadapter/internal/wire"
	"socketio-chat/pkg/socketio"
)

// A node is an instance in a cluster that is joined by function calls.
type node struct {
	*Exchange
	uid     string
	all     *nodes
	old     bool // of before private ids named owners
	stopped bool // answers nothing, and is counted
	missing int  // instances that are missed, and when they were there
	since   time.Time
	moved   string // where it says that sessions have gone
	asked   atomic.Int64
}

type nodes struct {
	mu      sync.Mutex
	list    []*node
	waiting map[string]*question
	absent  bool // those that are stopped are counted, and not waited for
}

type question struct {
	take    func(*wire.Response) bool
	done    func(wire.Census, error)
	left    int // answers
	census  wire.Census
	stopped bool // of those that are waited for
}

func (a *nodes) answered(id string, r *wire.Response) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if q := a.waiting[id]; q != nil && q.left > 0 && q.take(r) {
		if q.left--; q.left == 0 {
			delete(a.waiting, id)
			go q.done(q.census, nil)
		}
	}
}

func (n *node) AskPeers(_ context.Context, req *wire.Request, one bool, take func(*wire.Response) bool, done func(wire.Census, error)) {
	n.asked.Add(1)
	req.UID = n.uid
	n.all.mu.Lock()
	peers := n.all.list
	q := &question{take: take, done: done, left: len(peers) - 1, census: wire.Census{Ours: len(peers), Missing: n.missing, MissedSince: n.since}}
	for _, peer := range peers {
		if n.all.absent && peer.stopped {
			q.left--
		}
	}
	if one {
		q.left = min(q.left, 1)
	}
	n.all.waiting[req.RequestID] = q
	n.all.mu.Unlock()
	if q.left == 0 {
		go done(q.census, nil)
	}
	for _, peer := range peers {
		if peer == n || peer.stopped {
			continue
		}
		to := *req
		if peer.old {
			var asked map[string]json.RawMessage
			_ = json.Unmarshal(req.Data, &asked)
			delete(asked, "owner")
			to.Data, _ = json.Marshal(asked)
		}
		go func() { _ = peer.Handle(&to) }()
	}
}

func (n *node) Answer(req *wire.Request, r *wire.Response) {
	if n.old {
		var answer map[string]json.RawMessage
		_ = json.Unmarshal(r.Data, &answer)
		delete(answer, "owners")
		delete(answer, "moved")
		r.Data, _ = json.Marshal(answer)
	}
	if n.moved != "" {
		var answer map[string]any
		_ = json.Unmarshal(r.Data, &answer)
		answer["moved"] = n.moved
		r.Data, _ = json.Marshal(answer)
	}
	n.all.answered(req.RequestID, r)
}
func (n *node) Ordered() bool            { return false }
func (n *node) Busy() bool               { return false }
func (n *node) Joined() bool             { return true }
func (n *node) Gaps() uint64             { return 0 }
func (n *node) Heard() time.Time         { return time.Now() }
func (n *node) Go(f func())              { go f() }
func (n *node) Context() context.Context { return context.Background() }
func (n *node) Warn(string, error)       {}

// nothingKept is a Redis in which no instance has left anything.
type nothingKept struct{}

var errNothing = errors.New("nothing is kept")

func (nothingKept) put(context.Context, string, *socketio.SessionDump) error { return errNothing }
func (nothingKept) discard(context.Context, []socket.PrivateSessionId) error { return errNothing }
func (nothingKept) read(context.Context, socket.PrivateSessionId) (json.RawMessage, *socketio.StoredLog, socketio.Refusal) {
	return nil, nil, socketio.RefusedUnknown
}
func (nothingKept) remove(context.Context, socket.PrivateSessionId) bool       { return false }
func (nothingKept) leave(context.Context, string, uint64, time.Duration) error { return errNothing }
func (nothingKept) last(context.Context) (ended []lastWord, err error)         { return nil, nil }

// lastWords is a Redis in which instances have left nothing but how far they had published.
type lastWords struct {
	nothingKept
	list []lastWord
}

func (l lastWords) last(context.Context) (ended []lastWord, err error) { return l.list, nil }

func newNodes(tb testing.TB, names ...string) (*nodes, map[string]*node) {
	tb.Helper()
	all, byName := &nodes{waiting: map[string]*question{}}, map[string]*node{}
	for _, name := range names {
		io := socketio.NewServer(socketio.Options{Recovery: socketio.Recovery{For: time.Minute}, Logger: slog.New(slog.DiscardHandler)})
		tb.Cleanup(func() { _ = io.Close(context.Background()) })
		local := io.Of("/chat").Adapter().(*socketio.LocalAdapter)
		local.PublishAs(name)
		n := &node{uid: name, all: all}
		n.Exchange = New(local, n, nil, "", "/chat")
		n.store = nothingKept{}
		all.list, byName[name] = append(all.list, n), n
	}
	return all, byName
}

// idOf makes a private id of an instance that does not exist there.
func idOf(name string) socket.PrivateSessionId {
	return socket.PrivateSessionId(socketio.OriginText(name) + "abcdefghijklmnopqrstuvwx")
}

func (n *node) find(pid socket.PrivateSessionId, patience time.Duration) socketio.Refusal {
	_, _, why := n.Take(pid, "-", time.Now().Add(patience))
	return why
}

// TestMadeUpIdsAskNobody: however many ids are made up, all instances are asked who they are once.
func TestMadeUpIdsAskNobody(t *testing.T) {
	_, n := newNodes(t, "alpha", "beta", "gamma")
	alpha := n["alpha"]
	for i := range 200 {
		if why := alpha.find(idOf(fmt.Sprint("nobody ", i)), time.Minute); why != socketio.RefusedUnknown {
			t.Fatalf("refused as %v", why)
		}
		if why := alpha.find(socket.PrivateSessionId(fmt.Sprintf("%024d", i)), time.Minute); why != socketio.RefusedUnknown {
			t.Fatalf("refused as %v", why)
		}
	}
	// Once more for each two seconds that this takes on a busy machine.
	if asked := alpha.asked.Load(); asked > 20 {
		t.Errorf("%d questions", asked)
	}
}

// TestOwnersOfAdoptedSessionsAreNotMadeUp: an instance that began after another one had ended hears of that from those that have its
// sessions now.
func TestOwnersOfAdoptedSessionsAreNotMadeUp(t *testing.T) {
	r, now := newRoster(), time.Now()
	r.end(now, now, true)
	if owner := socketio.OriginText("gone"); !r.madeUp(owner, now) {
		t.Error("an owner that nobody knows may exist")
	} else if r.adopted([]string{owner}, now); r.madeUp(owner, now) || r.there(owner) {
		t.Error("an owner whose sessions are elsewhere is made up, or there")
	}
}

// TestSilentInstanceMayHaveTheSession: that all others do not know it ends no search.
func TestSilentInstanceMayHaveTheSession(t *testing.T) {
	all, n := newNodes(t, "alpha", "beta", "gamma")
	all.absent = true
	n["gamma"].stopped = true
	if why := n["alpha"].find(idOf("gamma"), 2*time.Second); why != socketio.RefusedTimeout {
		t.Errorf("an instance that may come back is given up as %v", why)
	}
}

// TestSilentOwnerMayHaveTheSession: an owner that is counted and not waited for is not one that has answered.
func TestSilentOwnerMayHaveTheSession(t *testing.T) {
	all, n := newNodes(t, "alpha", "beta", "gamma")
	alpha, now := n["alpha"], time.Now()
	alpha.roster.note(socketio.OriginText("gamma"), true, now)
	all.absent = true
	n["gamma"].stopped = true
	if why := alpha.find(idOf("gamma"), 2*time.Second); why != socketio.RefusedTimeout {
		t.Errorf("an owner that may come back is given up as %v", why)
	}
}

// TestOthersTellOfAnOwner: one that was cut off before the instance that is asked began is known to those that were there before.
func TestOthersTellOfAnOwner(t *testing.T) {
	_, n := newNodes(t, "alpha", "beta")
	beta, began := n["beta"], time.Now()
	gone := socketio.OriginText("gone")
	beta.roster.note(gone, true, began.Add(-time.Second))
	beta.roster.end(began, began, true) // it is not there any more
	n["alpha"].missing = 1
	if why := n["alpha"].find(idOf("gone"), time.Second); why != socketio.RefusedTimeout {
		t.Errorf("one that is missing is given up as %v", why)
	}
	if list := beta.owners(began.Add(2 * time.Minute)); len(list) > 0 {
		t.Errorf("%q are told of when their sessions have expired", list)
	}
}

// TestWhereItWentMayBeSilent: that the session has gone to an instance which is not there ends no search, however often it is said.
func TestWhereItWentMayBeSilent(t *testing.T) {
	_, n := newNodes(t, "alpha", "beta")
	n["beta"].moved = socketio.OriginText("gamma")
	if why := n["alpha"].find(idOf("beta"), 2*time.Second); why != socketio.RefusedTimeout {
		t.Errorf("an instance that may come back is given up as %v", why)
	}
}

// TestOnlyTheOwnerIsAsked: an instance that does not answer is nothing to a session of another one.
func TestOnlyTheOwnerIsAsked(t *testing.T) {
	_, n := newNodes(t, "alpha", "beta", "gamma")
	alpha := n["alpha"]
	if why := alpha.find(idOf("beta"), time.Minute); why != socketio.RefusedUnknown {
		t.Fatalf("refused as %v", why)
	}
	n["gamma"].stopped = true
	for range 10 {
		if why := alpha.find(idOf("beta"), time.Minute); why != socketio.RefusedUnknown {
			t.Errorf("refused as %v", why)
		}
	}
	if why := alpha.find(idOf("gamma"), 3*time.Second); why != socketio.RefusedTimeout {
		t.Errorf("an instance that may come back is given up as %v", why)
	}
}

// TestOldInstancesAreAsked: those that know nothing of owners answer all questions, and have ids without.
func TestOldInstancesAreAsked(t *testing.T) {
	_, n := newNodes(t, "alpha", "beta", "old")
	n["old"].old = true
	alpha := n["alpha"]
	for _, pid := range []socket.PrivateSessionId{"abcdefghijklmnopqrstuvwx", idOf("beta"), idOf("old")} {
		before := alpha.asked.Load()
		if why := alpha.find(pid, time.Minute); why != socketio.RefusedUnknown {
			t.Errorf("%s: refused as %v", pid, why)
		}
		if alpha.asked.Load() == before {
			t.Errorf("%s: nobody was asked", pid)
		}
	}
}

func FuzzQuestion(f *testing.F) {
	f.Add([]byte(`{"pid":"p","offset":"-","kept":{"abcdefgh":[1,2]},"owner":"abcdefgh"}`))
	f.Add([]byte(`{"pid":1}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, n := newNodes(t, "alpha")
		// Any outcome will do but a panic, or an answer that cannot be read.
		_ = n["alpha"].Handle(&wire.Request{UID: "beta", RequestID: "1", Type: wire.SessionRequest, Data: data})
	})
}

package redisadapter

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/zishang520/engine.io/v2/types"
	rtypes "github.com/zishang520/socket.io-go-redis/types"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/redisadapter/internal/wire"
)

// Redis goes on counting the connections of a host that has lost its power, for minutes. Such an instance
// answers nothing, and a call that waited for it would take the whole timeout. So when answers are missing,
// everybody is asked something that costs nothing, and instances that do not answer that are not waited for
// until they do.

const (
	// rollCallAfter is how long answers may be missing before all instances are called, rollCallFor how
	// long they have for their answer, and rollCallAgain how long after that those that are absent are
	// called once more.
	rollCallAfter = time.Second
	rollCallFor   = 1500 * time.Millisecond
	rollCallAgain = 2 * time.Second
)

// absentees are the instances that Redis counts and that do not answer.
type absentees struct {
	mu      sync.Mutex
	counted wire.Census // as of the latest call
	absent  wire.Census
	calling bool
	timer   *time.Timer // calls again
	closed  bool
}

// less is c without those that are absent. If fewer are counted than when they were called, an unknown
// one of them has gone, and all are waited for.
func (l *absentees) less(c wire.Census) wire.Census {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.All < l.counted.All || c.Modern < l.counted.Modern || c.Ours < l.counted.Ours {
		return c
	}
	return wire.Census{All: c.All - l.absent.All, Modern: c.Modern - l.absent.Modern, Ours: c.Ours - l.absent.Ours}
}

// begin tells whether a call may begin.
func (l *absentees) begin() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.calling || l.closed {
		return false
	}
	l.calling = true
	return true
}

// end notes what a call has found, and calls again while somebody is absent.
func (l *absentees) end(counted, absent wire.Census, again func()) (news bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	news = absent != l.absent
	l.calling, l.counted, l.absent = false, counted, absent
	if l.closed || absent == (wire.Census{}) {
		return news
	}
	l.timer = time.AfterFunc(rollCallAgain, again)
	return news
}

func (l *absentees) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	if l.timer != nil {
		l.timer.Stop()
	}
}

var errAbsent = errors.New("Redis counts instances that do not answer; they are not waited for until they do")

// rollCall asks all instances for the sockets in a room that does not exist, and counts who answers: those
// that answer generation 4, our own over the channel of theirs, and nodes of generation 2.
func (a *Adapter) rollCall() {
	if !a.absentees.begin() {
		return
	}
	nobody := socket.Room("roll call " + wire.NewID())
	list := wire.ListOf([]socket.Room{nobody})
	opts := &socket.BroadcastOptions{Rooms: types.NewSet(nobody)}
	modern := &wire.Request{RequestID: wire.NewID(), Type: rtypes.REMOTE_FETCH, Opts: wire.OptionsOf(opts)}
	ours := &wire.Request{RequestID: wire.NewID(), Type: rtypes.SOCKETS, Rooms: list}
	old := &wire.Request{LegacyID: wire.NewID(), Type: wire.LegacyClients, Rooms: list}
	var counted wire.Census
	answered := map[string]int{}
	a.gatherAnswers(&gather{
		what: "call all instances", timeout: rollCallFor, call: true,
		ids: []string{modern.RequestID, ours.RequestID, old.LegacyID},
		want: func(c wire.Census) int {
			counted = c
			return c.Others() + max(c.Ours-1, 0) + c.LegacyNodes()
		},
		start: func(c wire.Census) []wire.Out {
			requests := []*wire.Request{modern}
			if c.LegacyNodes() > 0 {
				requests = append(requests, old)
			}
			out := a.items(requests)
			if o, err := a.format.Peers(ours); err == nil && c.Ours > 1 {
				out = append(out, o)
			}
			return out
		},
		take: func(r *wire.Response) {
			if r.LegacyID != "" {
				answered[string(r.LegacyID)]++
				return
			}
			answered[string(r.RequestID)]++
		},
		done: func(err error) {
			absent := wire.Census{
				Modern: max(counted.Others()-answered[modern.RequestID], 0), Ours: max(counted.Ours-1-answered[ours.RequestID], 0),
			}
			absent.All = absent.Modern + max(counted.LegacyNodes()-answered[old.LegacyID], 0)
			if errors.Is(err, ErrNotJoined) || errors.Is(err, ErrClosed) {
				counted, absent = wire.Census{}, wire.Census{}
			}
			if a.absentees.end(counted, absent, a.rollCall) && absent.All > 0 {
				a.hub.Warn("instances do not answer", fmt.Errorf("%w: %d of %d", errAbsent, absent.All, counted.All))
			}
			a.reconsider()
		},
	})
}

// reconsider ends the gathers that wait for nobody but absentees. What they miss they are told: the call
// was not over when they began.
func (a *Adapter) reconsider() {
	a.mu.Lock()
	waiting := map[*gather]bool{}
	for _, g := range a.gathers {
		waiting[g] = true
	}
	a.mu.Unlock()
	for g := range waiting {
		if err := g.timeoutError(); g.complete(a.absentees.less) {
			a.endGather(g, err)
		}
	}
}

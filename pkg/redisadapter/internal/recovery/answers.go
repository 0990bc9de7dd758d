package recovery

import (
	"slices"
	"sync"

	"socketio-chat/pkg/redisadapter/internal/wire"
	"socketio-chat/pkg/socketio"
)

// answers is what comes of one question: some of it later than it is waited for.
type answers struct {
	s    *search
	id   string // of the question
	only string // the origin that was asked, "": all

	mu   sync.Mutex
	came taken
	n    int // answers
	// By origin: those that answered, and those that were heard of lately, by this instance or one that answered.
	answered map[string]bool
	lately   []string
}

// take takes an answer, and tells whether it is one of those that are waited for.
func (a *answers) take(r *wire.Response) bool {
	answer, ok := a.s.x.read(r)
	if !ok {
		return a.only == ""
	}
	a.s.note(answer)
	if answer.Session != nil {
		select {
		case a.s.found <- taken{session: answer.Session, mark: a.s.x.mark(a.id)}:
		default:
		}
	}
	if a.only != "" && answer.Origin != a.only {
		return false // an instance of an older version answers a question to another one, too
	}
	if final(answer.Refusal) {
		a.s.refuse(answer.Refusal)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.came.why, a.came.moved = max(a.came.why, answer.Refusal), answer.Moved
	a.n++
	a.answered[answer.Origin], a.lately = true, append(a.lately, answer.Lately...)
	return true
}

// final tells whether a session has ended with a refusal.
func final(why socketio.Refusal) bool {
	return why != socketio.NotRefused && why != socketio.RefusedUnknown && why != socketio.RefusedTimeout
}

// all tells whether all have answered that are waited for. If not, more time is to be given to it. It runs where answers come in, and
// must not wait.
func (a *answers) all(c wire.Census, err error) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case err != nil:
		a.came.why = socketio.RefusedTimeout
	case a.only != "" && a.n == 0:
		return false // it is not waited for, since it answers nothing: that says nothing of what it has
	case a.only == "" && a.came.why == socketio.RefusedUnknown && a.n < c.Ours-1:
		return false // one that is there and is not waited for may have it
	}
	return true
}

// result is what came of it when all have answered.
func (a *answers) result(c wire.Census) taken {
	own, _ := a.s.x.local.Published()
	a.mu.Lock()
	t := a.came
	silent := slices.DeleteFunc(slices.Clone(a.lately), func(origin string) bool { return origin == own || a.answered[origin] })
	a.mu.Unlock()
	t.partial = a.only == "" && t.why == socketio.RefusedUnknown && a.s.missing(c, silent)
	return t
}

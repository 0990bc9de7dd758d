package recovery

import (
	"maps"
	"sync"
	"time"
)

// A roster knows which of our instances there are, by origin: those that answered. A private id of a
// session begins with the origin of its owner, the instance that gave it out; the roster tells whether
// that can be asked, and whether there can be such an instance at all. It is called once for all
// searches that want to know at the same time.
//
// Instances of before private ids had owners answer, too, and tell their origins.
type roster struct {
	mu      sync.Mutex
	heard   map[string]time.Time // when each instance that is there answered last
	known   map[string]time.Time // … or was there once, or has sessions somewhere; made-up owners are not among them
	left    map[string]time.Time // when each instance answered last that is not there any more
	mixed   map[string]bool      // of those that are there: has sessions whose ids name no owner
	called  time.Time            // when the latest call began that everybody answered
	calling chan struct{}        // closed when the call that is under way is over
}

const (
	// rosterFor is how long the answers of all stand for an owner that never was among them.
	rosterFor = 2 * time.Second
	// knownFor is how long an instance is remembered that is gone. Its sessions may be with others.
	knownFor = time.Hour
	// maxKnown bounds how many are.
	maxKnown = 4096
	// maxTold bounds how many instances are told of, of each kind.
	maxTold = 1024
)

func newRoster() *roster {
	return &roster{heard: map[string]time.Time{}, known: map[string]time.Time{}, left: map[string]time.Time{}, mixed: map[string]bool{}}
}

// note remembers that an instance answered; owners tells whether all its sessions' ids name an owner.
func (r *roster) note(origin string, owners bool, now time.Time) {
	if origin == "" {
		return
	}
	r.met(origin, now)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mixed[origin] = !owners
}

// there tells whether an owner is thought to be there.
func (r *roster) there(owner string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.heard[owner].IsZero()
}

// met remembers that an instance is there which was heard of otherwise.
func (r *roster) met(origin string, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.heard[origin] = now
	if len(r.known) < maxKnown || !r.known[origin].IsZero() {
		r.known[origin] = now
	}
}

// lately are the instances that answered in the time before now, whether they are there or not.
func (r *roster) lately(within time.Duration, now time.Time) (list []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, answered := range []map[string]time.Time{r.heard, r.left} {
		for origin, at := range answered {
			if now.Sub(at) <= within && len(list) < maxTold {
				list = append(list, origin)
			}
		}
	}
	return list
}

// adopted notes owners that another instance knows of: they were there once.
func (r *roster) adopted(owners []string, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, owner := range owners {
		if len(r.known) < maxKnown || !r.known[owner].IsZero() {
			r.known[owner] = now
		}
	}
}

// fresh tells whether all instances have answered lately.
func (r *roster) fresh(now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.called.IsZero() && now.Sub(r.called) < rosterFor
}

// madeUp tells whether all instances have answered lately, and the owner was never one of them. Without an
// owner it tells whether none of them has a session whose id names none.
func (r *roster) madeUp(owner string, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.called.IsZero() || now.Sub(r.called) >= rosterFor {
		return false
	}
	if owner != "" {
		return r.known[owner].IsZero()
	}
	for _, mixed := range r.mixed {
		if mixed {
			return false
		}
	}
	return true
}

// begin begins a call, or returns what to wait for while one is under way.
func (r *roster) begin() (wait <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.calling != nil {
		return r.calling
	}
	r.calling = make(chan struct{})
	return nil
}

// end ends a call that began then; all tells whether every instance has answered. Those that have not
// are gone.
func (r *roster) end(began, now time.Time, all bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.calling != nil {
		close(r.calling)
		r.calling = nil
	}
	if !all {
		return
	}
	r.called = began
	for origin, at := range r.heard {
		if at.Before(began) {
			if len(r.left) < maxKnown {
				r.left[origin] = at
			}
			delete(r.heard, origin)
			delete(r.mixed, origin)
		}
	}
	old := func(_ string, at time.Time) bool { return now.Sub(at) > knownFor }
	maps.DeleteFunc(r.known, old)
	maps.DeleteFunc(r.left, old)
}

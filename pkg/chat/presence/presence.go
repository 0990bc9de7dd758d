package presence

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// Bounds of what is told at once, and times.
const (
	Beat       = 500 * time.Millisecond
	Lost       = 4 * time.Second // an instance that is not heard of for so long is gone
	maxPeople  = 1000            // of a Snapshot
	maxFirst   = 200             // of one for somebody who begins to watch
	maxNames   = 200             // of a Change; one with more tells only the counts
	resetBeats = 4               // from a Change with Reset to the next one: so many come at once that only the counts are told
	// freshPeople is how many names a room may have whose snapshots are always new. That of a larger one is made once a beat, however many come and
	// ask meanwhile; those that watch get what has changed since at the end of the beat.
	freshPeople = 200
)

// A Person is a name and how many connections it has.
type Person struct {
	Name        string `json:"name"`
	Connections int    `json:"connections"`
}

// A Snapshot tells who is in a room, by name.
type Snapshot struct {
	People      []Person `json:"people"`
	Count       int      `json:"count"`       // names
	Connections int      `json:"connections"` // guests included
	More        bool     `json:"more,omitempty"`
	Partial     bool     `json:"partial,omitempty"` // the other instances are not reached
}

// A Change tells what became different in a room since the last one. Counts are new values, not differences.
type Change struct {
	Room        string   `json:"room,omitempty"`
	Joined      []Person `json:"joined"`
	Left        []string `json:"left"`
	Count       int      `json:"count"`
	Connections int      `json:"connections"`
	Reset       bool     `json:"reset,omitempty"` // too much has changed: ask for the people
}

// Options configures a Registry.
type Options struct {
	// Changed is called with what has changed in a room, if Watched says that somebody here wants to know. Both run on the Registry's goroutine.
	Changed func(Change)
	Watched func(room string) bool
	// Gossip sends a message to all other instances; nil: there are none. It must not block.
	Gossip func(Gossip)
	// Joined tells whether the other instances are reached. It must not block.
	Joined func() bool
}

// A Registry is what one instance knows.
type Registry struct {
	opts Options
	now  func() time.Time
	me   string
	stop chan struct{}
	done chan struct{}
	once sync.Once

	mu    sync.Mutex // guards the rest
	own   crowd
	news  map[[2]string]struct{} // rooms and names of own whose count has changed since the last beat
	rooms map[string]*total
	peers map[string]*peer
	beat  beatState
	apart bool // the others were not reached at the last beat
	rests bool // no beat is due until something changes

	wake chan struct{} // something has changed during a rest
}

// New returns a registry that runs until Close.
func New(opts Options) *Registry {
	r := &Registry{
		opts: opts, now: time.Now, me: newID(), stop: make(chan struct{}), done: make(chan struct{}),
		own: crowd{}, news: map[[2]string]struct{}{}, rooms: map[string]*total{}, peers: map[string]*peer{},
		wake: make(chan struct{}, 1),
	}
	go r.run()
	return r
}

// Enter counts a connection of name in a room.
func (r *Registry) Enter(room, name string) { r.move(room, name, 1) }

// Leave is the opposite of Enter.
func (r *Registry) Leave(room, name string) { r.move(room, name, -1) }

func (r *Registry) move(room, name string, by int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.moveLocked(room, name, by)
}

func (r *Registry) moveLocked(room, name string, by int) {
	n := r.own[room][name] + by
	if n < 0 {
		return
	}
	r.own.set(room, name, n)
	if r.opts.Gossip != nil {
		r.news[[2]string{room, name}] = struct{}{}
	}
	r.addLocked(room, name, by)
}

// Rename moves a connection from one name to another, in all its rooms.
func (r *Registry) Rename(rooms []string, from, to string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, room := range rooms {
		r.moveLocked(room, from, -1)
		r.moveLocked(room, to, 1)
	}
}

// addLocked changes the sum.
func (r *Registry) addLocked(room, name string, by int) {
	if by == 0 {
		return
	}
	t := r.rooms[room]
	if t == nil {
		t = &total{people: map[string]int{}, changed: map[string]struct{}{}}
		r.rooms[room] = t
	}
	t.connections += by
	if n := t.people[name] + by; n > 0 {
		t.people[name] = n
	} else {
		delete(t.people, name)
	}
	t.touched = true
	r.wakeLocked()
	if len(t.people) <= freshPeople {
		t.answer = nil
	}
	if name != "" {
		t.changed[name] = struct{}{}
	}
}

// Has tells whether a name is in a room, and whether that is certain: the other instances are reached.
func (r *Registry) Has(room, name string) (has, certain bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.rooms[room]
	return t != nil && t.people[name] > 0, !r.apart
}

// Connections tells how many connections are in a room.
func (r *Registry) Connections(room string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if t := r.rooms[room]; t != nil {
		return t.connections
	}
	return 0
}

// Close tells the other instances that everybody here is gone, and ends the goroutine. It may be called again.
func (r *Registry) Close() {
	r.once.Do(func() { close(r.stop) })
	<-r.done
}

func (r *Registry) run() {
	defer close(r.done)
	begun := time.Now() // beats keep their time through a rest, and each registry has its own
	untilBeat := func() time.Duration { return Beat - time.Since(begun)%Beat }
	next := time.NewTimer(Beat)
	defer next.Stop()
	for {
		select {
		case now := <-next.C:
			r.tick(now)
			if !r.rest() {
				next.Reset(untilBeat())
			}
		case <-r.wake:
			next.Reset(untilBeat())
		case <-r.stop:
			if r.opts.Gossip != nil {
				r.opts.Gossip(Gossip{From: r.me, Bye: true})
			}
			return
		}
	}
}

// rest reports whether nothing is left to tell: then there is no beat before something changes. A process that has nothing to do
// would be woken twice a second for it. With other instances there is no rest: they want to hear of this one.
func (r *Registry) rest() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rests = r.opts.Gossip == nil
	for _, t := range r.rooms {
		if t.touched || t.pause > 0 {
			r.rests = false
		}
	}
	return r.rests
}

// wakeLocked ends a rest.
func (r *Registry) wakeLocked() {
	if r.rests {
		r.rests = false
		r.wake <- struct{}{} // there is room: a rest ends once
	}
}

// tick is one beat.
func (r *Registry) tick(now time.Time) {
	r.gossip(now)
	for _, c := range r.changes() {
		r.opts.Changed(c)
	}
}

// changes takes what has changed.
func (r *Registry) changes() (list []Change) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for room, t := range r.rooms {
		t.pause = max(t.pause-1, 0)
		if !t.touched {
			continue
		}
		t.answer = nil
		if t.pause > 0 {
			continue
		}
		if r.opts.Watched(room) {
			c := t.change(room)
			if c.Reset {
				t.pause = resetBeats
			}
			list = append(list, c)
		}
		t.touched = false
		if len(t.changed) > 0 {
			t.changed = map[string]struct{}{}
		}
		if t.connections == 0 {
			delete(r.rooms, room)
		}
	}
	slices.SortFunc(list, func(a, b Change) int { return strings.Compare(a.Room, b.Room) })
	return list
}

func (t *total) change(room string) Change {
	c := Change{Room: room, Joined: []Person{}, Left: []string{}, Count: len(t.people), Connections: t.connections}
	if t.people[""] > 0 {
		c.Count--
	}
	if len(t.changed) > maxNames {
		c.Reset = true
		return c
	}
	for _, name := range slices.Sorted(maps.Keys(t.changed)) {
		if n := t.people[name]; n > 0 {
			c.Joined = append(c.Joined, Person{name, n})
		} else {
			c.Left = append(c.Left, name)
		}
	}
	return c
}

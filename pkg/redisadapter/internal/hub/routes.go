package hub

import (
	"slices"
	"sync"

	"socketio-chat/pkg/redisadapter/internal/wire"
)

// routes tell which receivers want what the hub subscribes to. A change costs what it changes, however
// many subscriptions there are. Lists of receivers are never changed in place: a goroutine that has one may walk it
// without the lock.
type routes struct {
	mu         sync.RWMutex
	list       []route
	patterns   map[string][]receiver
	channels   map[string][]receiver
	namespaces map[string][]receiver

	// What was added or removed since the subscriber took it, and whether a receiver's own subscription is among it.
	changedPatterns, changedChannels map[string]bool
	added                            bool
}

// route is a receiver with what it wants from the beginning.
type route struct {
	wire.Subscription
	receiver
}

// receiver gets the messages of a subscription, one after another, on the subscriber's goroutine;
// it must not block.
type receiver interface {
	Receive(channel string, payload []byte)
	ReceiveEntry(e *wire.Entry)
	// Missed tells that messages before those to come may be lost.
	Missed()
}

func newRoutes() *routes {
	return &routes{
		patterns: map[string][]receiver{}, channels: map[string][]receiver{}, namespaces: map[string][]receiver{},
		changedPatterns: map[string]bool{}, changedChannels: map[string]bool{},
	}
}

// add makes r a receiver of s.
func (t *routes) add(s wire.Subscription, r receiver) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.list = append(slices.Clone(t.list), route{s, r})
	t.added = true
	t.namespaces[s.Nsp] = with(t.namespaces[s.Nsp], r)
	for _, p := range s.Patterns {
		t.patterns[p] = with(t.patterns[p], r)
		t.changedPatterns[p] = true
	}
	for _, c := range s.Channels {
		t.addLocked(c, r)
	}
}

// remove takes r out everywhere.
func (t *routes) remove(r receiver) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.list = slices.DeleteFunc(slices.Clone(t.list), func(m route) bool { return m.receiver == r })
	without(t.namespaces, r, nil)
	without(t.patterns, r, t.changedPatterns)
	without(t.channels, r, t.changedChannels)
}

// follow makes r a receiver of one channel more, unfollow takes that back.
func (t *routes) follow(channel string, r receiver) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.addLocked(channel, r)
}

func (t *routes) unfollow(channel string, r receiver) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if left := slices.DeleteFunc(slices.Clone(t.channels[channel]), func(o receiver) bool { return o == r }); len(left) > 0 {
		t.channels[channel] = left
		return
	}
	delete(t.channels, channel)
	t.changedChannels[channel] = true
}

func (t *routes) addLocked(channel string, r receiver) {
	if slices.Contains(t.channels[channel], r) {
		return
	}
	t.channels[channel] = with(t.channels[channel], r)
	t.changedChannels[channel] = true
}

func with(list []receiver, r receiver) []receiver { return append(slices.Clip(list), r) }

// without removes r from each list, and notes names that have none left in changed.
func without(lists map[string][]receiver, r receiver, changed map[string]bool) {
	for name, list := range lists {
		if !slices.Contains(list, r) {
			continue
		}
		left := slices.DeleteFunc(slices.Clone(list), func(o receiver) bool { return o == r })
		if lists[name] = left; len(left) > 0 {
			continue
		}
		delete(lists, name)
		if changed != nil {
			changed[name] = true
		}
	}
}

// All are the receivers.
func (t *routes) all() []route {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.list
}

// of are the receivers of a message, which came by a pattern if that is not empty.
func (t *routes) of(pattern, channel string) []receiver {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if pattern != "" {
		return t.patterns[pattern]
	}
	return t.channels[channel]
}

// in are the receivers of a namespace.
func (t *routes) in(nsp string) []receiver {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.namespaces[nsp]
}

// counted are the channels by whose subscribers instances are counted: all of them, and ours.
func (t *routes) counted() (all, ours []string) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, m := range t.list {
		if m.All != "" && !slices.Contains(all, m.All) {
			all, ours = append(all, m.All), append(ours, m.Ours)
		}
	}
	return all, ours
}

// grown tells whether a receiver was added that the subscriber does not know of.
func (t *routes) grown() bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.added
}

// wanted is a change of the subscriptions: names, and whether each is to be had. With whole, it is all there is, or has a receiver's
// own subscription: the connection is not complete without it.
type wanted struct {
	patterns, channels map[string]bool
	whole              bool
}

// everything is all that is subscribed to, and which channels of it only our own instances have.
func (t *routes) everything() (all wanted, ours map[string]bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	all, ours = wanted{map[string]bool{}, map[string]bool{}, true}, map[string]bool{}
	for _, m := range t.list { // rooms that are followed are of the same kind as these
		for _, name := range m.Patterns {
			all.patterns[name] = true
		}
		for _, name := range m.Channels {
			all.channels[name] = true
		}
		ours[m.Ours] = true
	}
	return all, ours
}

// changes returns what has changed since they were asked for last; with everything, all there is.
func (t *routes) changes(everything bool) wanted {
	t.mu.Lock()
	defer t.mu.Unlock()
	w := wanted{t.changedPatterns, t.changedChannels, t.added}
	t.changedPatterns, t.changedChannels, t.added = map[string]bool{}, map[string]bool{}, false
	if everything {
		w = wanted{make(map[string]bool, len(t.patterns)), make(map[string]bool, len(t.channels)), true}
		for name := range t.patterns {
			w.patterns[name] = true
		}
		for name := range t.channels {
			w.channels[name] = true
		}
		return w
	}
	for name := range w.patterns {
		_, w.patterns[name] = t.patterns[name]
	}
	for name := range w.channels {
		_, w.channels[name] = t.channels[name]
	}
	return w
}

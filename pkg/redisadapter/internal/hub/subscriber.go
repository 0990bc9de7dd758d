package hub

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

var (
	ErrSilent      = errors.New("heartbeats no longer come back")
	errSlotMoved   = errors.New("the channels' slot is at another server of the Redis Cluster now")
	errResubscribe = errors.New("connection was replaced without our doing")
)

// subscriber owns one subscriber connection: the goroutine of run reads, keep writes.
type subscriber struct {
	h      *Hub
	pubsub *redis.PubSub
	cancel context.CancelCauseFunc
	seen   atomic.Uint64 // what has come in

	mu       sync.Mutex
	patterns map[string]bool // subscribed; true once Redis has confirmed it
	channels map[string]bool
	late     map[string]int  // confirmations to come for what was unsubscribed before it was confirmed
	awaited  map[string]bool // to be confirmed before the connection is complete: what there was at first, and receivers added until then

	complete atomic.Uint64 // the connection's generation once it is complete, 0 before
}

// subscribeLoop keeps a subscriber going until the hub ends.
func (h *Hub) subscribeLoop() {
	b := newBackoff()
	for h.ctx.Err() == nil {
		err := h.subscribeSession(b)
		if h.ctx.Err() != nil {
			break
		}
		if isDenied(err) {
			if err = h.probe(h.ctx); err == nil {
				continue // without what is denied
			}
		} else {
			h.denied.Store(nil) // the user may have more by now
		}
		if !h.disconnected(&h.sub, err) {
			h.fault.warn("cannot subscribe at Redis, trying again", err)
		}
		h.emitError(err)
		if !b.wait(h.ctx) {
			break
		}
	}
	h.disconnected(&h.sub, h.ctx.Err())
}

// subscribeSession connects, subscribes and receives until the connection breaks or is found dead.
func (h *Hub) subscribeSession(b *backoff) error {
	ctx, cancel := context.WithCancelCause(h.ctx)
	defer cancel(nil)
	l, err := h.dial(ctx)
	if err != nil {
		return err
	}
	defer l.Close()
	s := &subscriber{
		h: h, pubsub: l.Subscribe(ctx), cancel: cancel,
		patterns: map[string]bool{}, channels: map[string]bool{}, late: map[string]int{}, awaited: map[string]bool{},
	}
	defer s.pubsub.Close()
	if err := s.sync(ctx, true); err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	var kept sync.WaitGroup
	kept.Go(func() { s.keep(ctx) })
	defer kept.Wait()
	defer cancel(nil)
	err = s.run(ctx, b)
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	return err
}

// run reads until the connection ends.
func (s *subscriber) run(ctx context.Context, b *backoff) error {
	h := s.h
	for {
		msg, err := s.pubsub.Receive(ctx)
		if err != nil {
			return fmt.Errorf("receive: %w", err)
		}
		s.seen.Add(1)
		switch m := msg.(type) {
		case *redis.Subscription:
			if err := s.confirm(m); err != nil {
				return err
			}
			if s.complete.Load() != 0 {
				b.reset()
			}
		case *redis.Message:
			if h.isBeat(m.Channel, m.Payload) {
				h.beatReceived(m.Payload, s.complete.Load())
				continue
			}
			h.dispatch(m)
		}
	}
}

// dispatch gives a message to the adapters that subscribed to it.
func (h *Hub) dispatch(m *redis.Message) {
	for _, to := range h.routes.of(m.Pattern, m.Channel) {
		h.deliver(to, m)
	}
}

// deliver gives a message to a receiver.
func (h *Hub) deliver(to receiver, m *redis.Message) {
	h.guard(func() { to.Receive(m.Channel, []byte(m.Payload)) })
}

// guard survives what a message may do to its receiver, the room listeners of the application
// included.
func (h *Hub) guard(f func()) {
	defer h.recovered("handling a message from Redis")
	f()
}

// confirm notes a subscription.
func (s *subscriber) confirm(m *redis.Subscription) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.channels
	switch m.Kind {
	case "psubscribe":
		list = s.patterns
	case "subscribe", "ssubscribe":
	case "sunsubscribe":
		if s.channels[m.Channel] { // and it was not asked for
			s.h.reload()
			return errSlotMoved
		}
		return nil
	default:
		return nil
	}
	if s.late[m.Channel] > 0 {
		s.late[m.Channel]--
		return nil
	}
	if confirmed, wanted := list[m.Channel]; !wanted || confirmed {
		return errResubscribe
	}
	list[m.Channel] = true
	delete(s.awaited, m.Channel)
	s.completeLocked()
	return nil
}

// awaitLocked makes the connection wait for names to be confirmed before it is complete.
func (s *subscriber) awaitLocked(patterns, channels []string) {
	for _, name := range slices.Concat(patterns, channels) {
		s.awaited[name] = true
	}
}

// completeLocked makes the connection complete when nothing is awaited any more; a heartbeat then proves it. A namespace that is made a
// moment after the first is waited for: an instance that says it has joined hears what the others say there. Rooms that are followed
// meanwhile are not, or a crowd that joins some would keep the instance from joining.
func (s *subscriber) completeLocked() {
	if s.complete.Load() == 0 && len(s.awaited) == 0 && !s.h.routes.grown() {
		s.complete.Store(s.h.connected(&s.h.sub))
	}
}

// keep follows changes of the routes and watches the heartbeats. It ends with ctx, and ends the
// connection when that is dead.
func (s *subscriber) keep(ctx context.Context) {
	h := s.h
	t := time.NewTicker(h.cfg.Heartbeat)
	defer t.Stop()
	seen := uint64(0)
	for {
		select {
		case <-ctx.Done():
			return
		case <-h.rerouted:
			if err := s.sync(ctx, false); err != nil {
				s.cancel(fmt.Errorf("change subscriptions: %w", err))
			}
		case <-t.C:
			// A flood may keep heartbeats waiting; a connection that brings anything is not dead.
			before := seen
			if seen = s.seen.Load(); seen == before && h.overdue(h.cfg.Silence) {
				s.cancel(ErrSilent)
			}
		}
	}
}

// sync subscribes to what the routes want and the connection does not have, and drops the rest: what has
// changed, or everything.
func (s *subscriber) sync(ctx context.Context, everything bool) error {
	s.mu.Lock()
	want := s.h.routes.changes(everything) // under the lock: from now on they are awaited
	if everything {
		want.channels[s.h.beat()] = true
	}
	maps.DeleteFunc(want.channels, func(name string, _ bool) bool { return s.h.deniedNames()[name] })
	addP, delP := s.differenceLocked(s.patterns, want.patterns)
	addC, delC := s.differenceLocked(s.channels, want.channels)
	if want.whole {
		s.awaitLocked(addP, addC)
	}
	if !everything {
		s.completeLocked() // nothing need have been added
	}
	s.mu.Unlock()
	t := s.h.transport
	return errors.Join(t.subscribe(ctx, s.pubsub, addP, addC), t.unsubscribe(ctx, s.pubsub, delP, delC))
}

// differenceLocked makes have what want says of some names, and returns what was added and removed.
func (s *subscriber) differenceLocked(have, want map[string]bool) (added, removed []string) {
	for name, wanted := range want {
		confirmed, there := have[name]
		switch {
		case wanted && !there:
			have[name] = false
			added = append(added, name)
		case !wanted && there:
			if !confirmed {
				s.late[name]++
			}
			delete(have, name)
			delete(s.awaited, name)
			removed = append(removed, name)
		}
	}
	slices.Sort(added)
	return added, removed
}

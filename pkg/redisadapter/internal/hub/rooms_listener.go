package hub

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

var errRoomMoved = errors.New("its slot is at another server of the Redis Cluster now")

// roomListener subscribes to channels anywhere in a Redis Cluster: those on which Node nodes
// broadcast to single rooms, which are in slots of their own. It has a connection to each server
// that has some of them, none without rooms.
//
// run owns the connections. Each has a goroutine that reads, for which run waits. A connection that
// brings nothing, not even the answer to a PING, is given up; a break counts as a gap.
type roomListener struct {
	cluster *redis.ClusterClient
	wake    chan struct{} // something changed

	mu     sync.Mutex
	wanted map[string]receiver
}

func newRoomListener(cluster *redis.ClusterClient) *roomListener {
	return &roomListener{cluster: cluster, wake: make(chan struct{}, 1), wanted: map[string]receiver{}}
}

func (l *roomListener) add(channel string, to receiver) { l.change(func() { l.wanted[channel] = to }) }

func (l *roomListener) remove(channel string) { l.change(func() { delete(l.wanted, channel) }) }

func (l *roomListener) change(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
	l.signal()
}

func (l *roomListener) signal() { notify(l.wake) }

// roomConn is a connection to one server.
type roomConn struct {
	link   *link
	pubsub *redis.PubSub
	cancel context.CancelCauseFunc
	ended  chan struct{}

	mu   sync.Mutex
	have map[string]bool // subscribed; true once confirmed
	seen time.Time       // when something came last
}

// rescan is how often the owners of all channels are looked up although nothing seems to have
// changed.
const rescan = 15 * time.Second

// run keeps the subscriptions until the hub ends.
func (l *roomListener) run(h *Hub) {
	conns := map[string]*roomConn{}
	defer func() {
		for _, c := range conns {
			c.close()
		}
	}()
	b := newBackoff()
	tick := time.NewTicker(h.cfg.Heartbeat)
	defer tick.Stop()
	scanned := time.Now()
	for {
		select {
		case <-h.ctx.Done():
			return
		case <-l.wake:
		case <-tick.C:
			if watch(h, conns) && time.Since(scanned) < rescan {
				continue
			}
		}
		scanned = time.Now()
		if err := l.update(h, conns); err != nil {
			if h.ctx.Err() != nil {
				return
			}
			h.fault.warn("cannot listen to all rooms of Node nodes, trying again", err)
			h.reload()
			if !b.wait(h.ctx) {
				return
			}
			l.signal()
			continue
		}
		b.reset()
	}
}

// watch sends PINGs and forgets connections that have ended; false: there were some.
func watch(h *Hub, conns map[string]*roomConn) (fine bool) {
	fine = true
	for addr, c := range conns {
		c.mu.Lock()
		silent := time.Since(c.seen) > h.cfg.Silence+h.cfg.Heartbeat
		c.mu.Unlock()
		if silent {
			c.cancel(ErrSilent)
		}
		select {
		case <-c.ended:
			c.close()
			delete(conns, addr)
			fine = false
		default:
			_ = c.pubsub.Ping(h.ctx) // that it failed, the reader finds out
		}
	}
	return fine
}

// update makes the connections have what is wanted.
func (l *roomListener) update(h *Hub, conns map[string]*roomConn) error {
	l.mu.Lock()
	wanted := make([]string, 0, len(l.wanted))
	for channel := range l.wanted {
		wanted = append(wanted, channel)
	}
	l.mu.Unlock()
	places := map[string][]string{}
	options := map[string]*redis.Options{}
	for _, channel := range wanted {
		master, err := l.cluster.MasterForKey(h.ctx, channel)
		if err != nil {
			return fmt.Errorf("find a master of the Redis Cluster: %w", err)
		}
		opts := master.Options()
		places[opts.Addr], options[opts.Addr] = append(places[opts.Addr], channel), opts
	}
	var errs []error
	for addr, channels := range places {
		c := conns[addr]
		if c != nil && c.over() { // not again at once: it may be the wrong server
			c.close()
			delete(conns, addr)
			errs = append(errs, fmt.Errorf("server %s: %w", addr, errRedial))
			continue
		}
		if c == nil {
			var err error
			if c, err = l.connect(h, options[addr], channels); err != nil {
				errs = append(errs, err)
				continue
			}
			conns[addr] = c
			continue
		}
		errs = append(errs, c.sync(h.ctx, channels))
	}
	for addr, c := range conns {
		if places[addr] == nil {
			c.close()
			delete(conns, addr)
		}
	}
	return errors.Join(errs...)
}

// connect opens a connection that listens to channels, and starts to read from it.
func (l *roomListener) connect(h *Hub, opts *redis.Options, channels []string) (*roomConn, error) {
	ctx, cancel := context.WithCancelCause(h.ctx)
	link, err := h.dialWith(ctx, ownOptions(opts))
	if err != nil {
		cancel(nil)
		return nil, err
	}
	c := &roomConn{link: link, pubsub: link.SSubscribe(ctx), cancel: cancel, ended: make(chan struct{}), have: map[string]bool{}, seen: time.Now()}
	if err := c.sync(ctx, channels); err != nil { // before anything is read: until go-redis has a connection it keeps its lock
		cancel(context.Canceled)
		return nil, errors.Join(err, c.pubsub.Close(), link.Close())
	}
	go func() {
		defer close(c.ended)
		err := c.read(ctx, l, h)
		cause := context.Cause(ctx)
		if h.ctx.Err() != nil || errors.Is(cause, context.Canceled) {
			return
		}
		if cause != nil {
			err = cause
		}
		h.gaps.Add(1)
		h.fault.warn("Lost a connection that listens to rooms of Node nodes", err)
		h.reload()
		l.signal()
	}()
	return c, nil
}

// read gives messages to their receivers until the connection ends.
func (c *roomConn) read(ctx context.Context, l *roomListener, h *Hub) error {
	for {
		msg, err := c.pubsub.Receive(ctx)
		if err != nil {
			return fmt.Errorf("receive: %w", err)
		}
		c.mu.Lock()
		c.seen = time.Now()
		c.mu.Unlock()
		switch m := msg.(type) {
		case *redis.Subscription:
			if err := c.confirm(m); err != nil {
				return err
			}
		case *redis.Message:
			l.mu.Lock()
			to := l.wanted[m.Channel]
			l.mu.Unlock()
			if to != nil {
				h.deliver(to, m)
			}
		}
	}
}

// confirm notes a subscription, or that the server has ended one.
func (c *roomConn) confirm(m *redis.Subscription) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	confirmed, wanted := c.have[m.Channel]
	switch {
	case m.Kind == "ssubscribe" && wanted:
		c.have[m.Channel] = true
	case m.Kind == "sunsubscribe" && confirmed:
		return errRoomMoved
	}
	return nil
}

// sync subscribes to channels and to nothing else. Each is in a slot of its own, so each takes a
// command.
func (c *roomConn) sync(ctx context.Context, channels []string) error {
	var added, removed []string
	wanted := map[string]bool{}
	c.mu.Lock()
	for _, channel := range channels {
		wanted[channel] = true
		if _, ok := c.have[channel]; !ok {
			c.have[channel] = false
			added = append(added, channel)
		}
	}
	for channel := range c.have {
		if !wanted[channel] {
			delete(c.have, channel)
			removed = append(removed, channel)
		}
	}
	c.mu.Unlock()
	var errs []error
	for _, channel := range added {
		errs = append(errs, c.pubsub.SSubscribe(ctx, channel))
	}
	for _, channel := range removed {
		errs = append(errs, c.pubsub.SUnsubscribe(ctx, channel))
	}
	return errors.Join(errs...)
}

func (c *roomConn) over() bool {
	select {
	case <-c.ended:
		return true
	default:
		return false
	}
}

// close ends the connection and waits for its reader.
func (c *roomConn) close() {
	c.cancel(context.Canceled)
	_ = c.pubsub.Close()
	_ = c.link.Close()
	<-c.ended
}

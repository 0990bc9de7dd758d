package socketio

import (
	"fmt"
	"sync"

	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/engineio"
)

// Writable tells whether an event emitted to the socket now would leave at once: nothing waits for its client. It is the back-pressure that a
// handler can see, Node's socket.conn.transport.writable.
func Writable(s *socket.Socket) bool {
	l := linkOf(s)
	return l != nil && l.eio.Writable()
}

// Drained returns a channel that is closed when nothing waits for the socket's client any more, or its connection has ended: Node's "drain".
func Drained(s *socket.Socket) <-chan struct{} {
	if l := linkOf(s); l != nil {
		return l.eio.Drained()
	}
	none := make(chan struct{})
	close(none)
	return none
}

// DefaultFeedLimit is FeedOptions.Limit if that is 0.
const DefaultFeedLimit = 64

// FeedOptions configures a [Feed].
type FeedOptions struct {
	// Limit is how many events may wait for a slow client. When there are more, the oldest is dropped. 0 means DefaultFeedLimit.
	Limit int
	// Dropped, if set, is called with each event that is dropped, without a lock, on the goroutine that emits.
	Dropped func(event string)
}

// A Feed emits events to one client no faster than the client reads them, so that it is never too slow: by default the server disconnects a
// client for which more than engineio.Options.QueueBytes waits; with a Feed, old values make room for new ones.
//
//	prices := socketio.NewFeed(s, socketio.FeedOptions{})
//	prices.Emit("BTC", "price", quote) // replaces a price of BTC that still waits
//	prices.Emit("", "trade", trade)    // waits for its turn; the oldest is dropped when there are too many
//
// Events leave in the order in which they were emitted; one that replaces another takes its place. A Feed has a goroutine while something
// waits; it ends when the client has caught up or is gone. All methods are safe for concurrent use.
type Feed struct {
	sock *socket.Socket
	eio  *engineio.Conn
	opts FeedOptions

	mu      sync.Mutex
	waiting []feedEvent // empty when the goroutine does not run
	dropped uint64
}

type feedEvent struct {
	key, name string
	args      []any
}

// NewFeed returns a feed to the client of s, nil if s is not a socket of this package's servers.
func NewFeed(s *socket.Socket, opts FeedOptions) *Feed {
	l := linkOf(s)
	if l == nil {
		return nil
	}
	if opts.Limit == 0 {
		opts.Limit = DefaultFeedLimit
	}
	return &Feed{sock: s, eio: l.eio, opts: opts}
}

// Emit emits an event as soon as the client is ready for it. While it waits, a later event with the same key and name replaces it; the key ""
// replaces nothing. The arguments must not change afterwards. It returns an error for a reserved name, and [ErrDisconnected].
func (f *Feed) Emit(key, event string, args ...any) error {
	if socket.SOCKET_RESERVED_EVENTS.Has(event) {
		return fmt.Errorf("socketio: feed: %q is a reserved event name", event)
	}
	if !f.sock.Connected() {
		return ErrDisconnected
	}
	if gone, ok := f.push(feedEvent{key, event, args}); ok && f.opts.Dropped != nil {
		f.opts.Dropped(gone.name)
	}
	return nil
}

// push emits or queues an event. It reports one that had to go.
func (f *Feed) push(e feedEvent) (gone feedEvent, dropped bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.waiting) == 0 {
		if f.eio.Writable() {
			_ = f.sock.Emit(e.name, e.args...) // fails for reserved names only
			return gone, false
		}
		f.waiting = append(f.waiting, e)
		go f.run()
		return gone, false
	}
	if e.key != "" {
		for i, w := range f.waiting {
			if w.key == e.key && w.name == e.name {
				f.waiting[i] = e
				return gone, false
			}
		}
	}
	if len(f.waiting) >= f.opts.Limit {
		gone, dropped = f.waiting[0], true
		f.dropped++
		f.waiting = append(f.waiting[:0], f.waiting[1:]...)
	}
	f.waiting = append(f.waiting, e)
	return gone, dropped
}

// run emits what waits, one event each time the client has caught up.
func (f *Feed) run() {
	for {
		<-f.eio.Drained()
		f.mu.Lock()
		if !f.eio.Open() || !f.sock.Connected() {
			f.waiting = nil
			f.mu.Unlock()
			return
		}
		e := f.waiting[0]
		f.waiting = append(f.waiting[:0], f.waiting[1:]...)
		_ = f.sock.Emit(e.name, e.args...)
		done := len(f.waiting) == 0
		if done {
			f.waiting = nil
		}
		f.mu.Unlock()
		if done {
			return
		}
	}
}

// Dropped returns how many events had to make room for others. Those that were replaced do not count.
func (f *Feed) Dropped() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.dropped
}

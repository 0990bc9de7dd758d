package socketio

import (
	"context"
	"time"
)

// linkContext is the context of a link for code that waits for its end.
type linkContext struct {
	context.Context //nolint:containedctx // a link is one, and makes this when it is asked
	cancel          context.CancelFunc
}

// A link is the context of its handlers: it is cancelled when the socket has disconnected. It costs
// nothing until somebody calls Done.

// Deadline reports that there is none.
func (l *link) Deadline() (time.Time, bool) { return time.Time{}, false }

// Done is closed when the socket is disconnected.
func (l *link) Done() <-chan struct{} { return l.context().Done() }

// Err is nil while the socket is connected.
func (l *link) Err() error {
	if ctx := l.ctx.Load(); ctx != nil {
		return ctx.Err()
	}
	l.conn.mu.Lock()
	defer l.conn.mu.Unlock()
	if l.state == linkGone {
		return context.Canceled
	}
	return nil
}

// Value asks the standard context inside, so that contexts made from this one need no goroutine.
func (l *link) Value(key any) any {
	if key == (linkKey{}) {
		return l
	}
	return l.context().Value(key)
}

// context makes the standard context inside.
func (l *link) context() context.Context {
	if ctx := l.ctx.Load(); ctx != nil {
		return ctx.Context
	}
	l.conn.mu.Lock()
	defer l.conn.mu.Unlock()
	if ctx := l.ctx.Load(); ctx != nil {
		return ctx.Context
	}
	ctx, cancel := context.WithCancel(context.Background())
	if l.state == linkGone {
		cancel()
	}
	l.ctx.Store(&linkContext{ctx, cancel})
	return ctx
}

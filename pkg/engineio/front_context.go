package engineio

import (
	"context"
	"sync"

	"socketio-chat/pkg/blankline"
	"socketio-chat/pkg/unread"
)

// A servedRequest is the context of a request that FrontOptions.Handler serves. It is
// done when the client has gone, when the server ends, and when the request has been
// answered. It knows of a request behind it; see blankline.Behind.
type servedRequest struct {
	context.Context
	body   bool          // what comes next is the body, as far as anybody knows
	engine bool          // it is for Server.ServeHTTP
	answer unread.Answer // begun once it has to wait for its client

	mu     sync.Mutex
	done   latch
	behind latch // another request has begun to come
}

// A latch is a channel that is closed once, and made only for those who ask.
type latch struct {
	c      chan struct{}
	closed bool
}

func (l *latch) channel() <-chan struct{} {
	if l.c == nil {
		l.c = make(chan struct{})
		if l.closed {
			close(l.c)
		}
	}
	return l.c
}

func (l *latch) close() {
	if !l.closed && l.c != nil {
		close(l.c)
	}
	l.closed = true
}

func newServedRequest(body bool) *servedRequest {
	r := &servedRequest{body: body}
	r.Context = blankline.With(context.Background(), r)
	return r
}

// Done is as context.Context has it.
func (r *servedRequest) Done() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.done.channel()
}

// Err is as context.Context has it.
func (r *servedRequest) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.done.closed {
		return context.Canceled
	}
	return nil
}

// Behind returns a channel that is closed when another request has begun to come.
func (r *servedRequest) Behind() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.behind.channel()
}

// end makes the context done.
func (r *servedRequest) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done.close()
}

// follow notes a request behind this one.
func (r *servedRequest) follow() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.behind.close()
}

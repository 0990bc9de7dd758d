package engineio

import (
	"context"
	"sync"

	"socketio-chat/pkg/blankline"
)

// A servedRequest is the context of a request that FrontOptions.Handler serves. It is
// done when the client has gone, when the server ends, and when the request has been
// answered. It knows of a request behind it; see blankline.Behind.
type servedRequest struct {
	context.Context
	body bool // what comes next is the body, as far as anybody knows

	mu     sync.Mutex
	done   chan struct{} // made by Done
	over   bool
	behind chan struct{} // made by Behind
	more   bool
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
	if r.done == nil {
		r.done = make(chan struct{})
		if r.over {
			close(r.done)
		}
	}
	return r.done
}

// Err is as context.Context has it.
func (r *servedRequest) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over {
		return context.Canceled
	}
	return nil
}

// Behind returns a channel that is closed when another request has begun to come.
func (r *servedRequest) Behind() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.behind == nil {
		r.behind = make(chan struct{})
		if r.more {
			close(r.behind)
		}
	}
	return r.behind
}

// end makes the context done.
func (r *servedRequest) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.over && r.done != nil {
		close(r.done)
	}
	r.over = true
}

// follow notes a request behind this one.
func (r *servedRequest) follow() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.more && r.behind != nil {
		close(r.behind)
	}
	r.more = true
}

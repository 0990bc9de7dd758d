package httpserver

import (
	"container/list"
	"context"
	"net"
	"net/http"
	"sync"

	"socketio-chat/pkg/unread"
)

// waiting holds the connections of an http.Server that wait for a request or for the rest of
// its head, those first that have waited longest, and the answers that wait for their clients.
type waiting struct {
	unread unread.Answers // those that may be cut off: of no session

	mu    sync.Mutex
	order list.List // of net.Conn
	at    map[net.Conn]*list.Element
}

func newWaiting() *waiting { return &waiting{at: make(map[net.Conn]*list.Element)} }

// state is an http.Server's ConnState.
func (w *waiting) state(nc net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew, http.StateIdle:
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.at[nc] == nil {
			w.at[nc] = w.order.PushBack(nc)
		}
	case http.StateActive: // some of a head has come; handler tells when all has
	case http.StateHijacked, http.StateClosed:
		w.remove(nc)
	}
}

func (w *waiting) remove(nc net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if e := w.at[nc]; e != nil {
		w.order.Remove(e)
		delete(w.at, nc)
	}
}

type connKey struct{}

// context puts a connection where handler finds it.
func (w *waiting) context(ctx context.Context, nc net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, nc)
}

// handler has to see each request: from then on its connection does not wait, and what is written to it has
// a deadline.
func (w *waiting) handler(h http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		nc, ok := r.Context().Value(connKey{}).(net.Conn)
		if !ok { // it is not net/http's
			h.ServeHTTP(rw, r)
			return
		}
		w.remove(nc)
		a := &answering{ResponseWriter: rw, waiting: w, nc: nc, mayCut: !forSocket(r.URL.Path)}
		defer a.end(r)
		h.ServeHTTP(a, r)
	})
}

func (w *waiting) len() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.order.Len()
}

// closeOldest reports false when there is none.
func (w *waiting) closeOldest() bool {
	w.mu.Lock()
	e := w.order.Front()
	if e == nil {
		w.mu.Unlock()
		return false
	}
	nc, _ := w.order.Remove(e).(net.Conn)
	delete(w.at, nc)
	w.mu.Unlock()
	_ = nc.Close() // net/http notices; the client has nothing to lose
	return true
}

package forward

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// How an instance ends that has something under way for sessions of others:
//
//	WebSocket through it   front asks the owner to let the client go: what is queued, then
//	                       the close frame; the client connects elsewhere
//	poll through it        front asks the owner to answer it with nothing; the client polls
//	                       again, elsewhere, and its session goes on

// headerCommand asks the owner for something; the session is named as in every
// request. It is removed from what clients send.
const (
	headerCommand  = "Chat-Command"
	commandLeave   = "leave"   // close the session in good order
	commandRelease = "release" // answer its poll with nothing
)

// Sessions is what an owner needs for that. engineio.Server has both methods.
type Sessions interface {
	LeaveSession(sid string) bool
	ReleasePoll(sid string) bool
}

// serveCommand does what another instance asks for.
func serveCommand(w http.ResponseWriter, command, sid string, s Sessions) {
	done := false
	switch {
	case s == nil:
	case command == commandLeave:
		done = s.LeaveSession(sid)
	case command == commandRelease:
		done = s.ReleasePoll(sid)
	}
	if !done {
		w.WriteHeader(http.StatusNotFound) // over already
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// A transit is something under way for a session of another instance.
type transit struct {
	owner *peer
	sid   string
}

// command asks an owner for something.
func (f *Forwarder) command(ctx context.Context, t transit, what string) error {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	l, err := t.owner.get(ctx, f.secrets, f.tag)
	if err != nil {
		return err
	}
	_ = l.SetDeadline(time.Now().Add(dialTimeout)) // fails on a closed connection only
	_, err = fmt.Fprintf(l, "GET /?sid=%s HTTP/1.1\r\nHost: %s\r\n%s: %s\r\n\r\n", url.QueryEscape(t.sid), t.owner.tag, headerCommand, what)
	if err == nil {
		var res *http.Response
		if res, err = http.ReadResponse(bufio.NewReader(l), nil); err == nil {
			err = res.Body.Close() // it has none
		}
	}
	if err = errors.Join(err, l.SetDeadline(time.Time{})); err != nil {
		l.Close()
		return err
	}
	t.owner.put(l)
	return nil
}

// The steps of Drain: a batch each drainPause, and no fewer in it than drainBatch.
const (
	drainPause = 100 * time.Millisecond
	drainBatch = 10
)

// Drain lets the clients go whose WebSockets pass through this instance, batch
// after batch, the last one when the time given by over has passed. Their owners
// send them what is queued, then away; they connect again, elsewhere. What goes on
// by polling is not touched. Drain returns when nobody is left to be told, or with
// ctx. It should come after the balancer sends no new clients.
func (f *Forwarder) Drain(ctx context.Context, over time.Duration) error {
	list := f.tunnelled()
	batch := max(drainBatch, len(list))
	if steps := int(over / drainPause); steps > 0 {
		batch = max(drainBatch, (len(list)+steps-1)/steps)
	}
	tick := time.NewTicker(drainPause)
	defer tick.Stop()
	for i, t := range list {
		if i > 0 && i%batch == 0 {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return fmt.Errorf("let %d clients of other instances go: %w", len(list)-i, ctx.Err())
			}
		}
		if err := f.command(ctx, t, commandLeave); err != nil {
			f.log.Debug("a client of another instance will be cut off", "err", err)
		}
	}
	return nil
}

func (f *Forwarder) tunnelled() []transit {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := make([]transit, 0, len(f.tunnels))
	for t := range f.tunnels {
		list = append(list, t.transit)
	}
	return list
}

func (f *Forwarder) polling() []transit {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := make([]transit, 0, len(f.polls))
	for _, t := range f.polls {
		list = append(list, t)
	}
	return list
}

// farewellTime is what Close gives those who were told to go.
const farewellTime = time.Second

// sayFarewell tells everybody for whom something is under way, and waits until it
// is over or farewellTime has passed.
func (f *Forwarder) sayFarewell(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, farewellTime)
	defer cancel()
	for _, t := range f.polling() {
		_ = f.command(ctx, t, commandRelease) // a client that cannot be told is cut off
	}
	_ = f.Drain(ctx, 0)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for len(f.polling())+len(f.tunnelled()) > 0 {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

package history

import (
	"bytes"
	"context"
	"log/slog"
	"sync"
	"time"

	"socketio-chat/pkg/socketio"
)

// tailFor is how long an instance remembers what servers that keep nothing have said: longer than it takes to notice that the recorder is gone.
const tailFor = 15 * time.Second

// tailBytes bounds what it remembers.
const tailBytes = 4 << 20

// A recorder appends what others have said: Node's servers, emitters, instances that keep nothing. All instances hear that in the same order,
// and one of them, which has the lease, appends it. The others remember the last seconds; whichever is the recorder next looks in the stream for
// how far the last one came, and appends the rest.
type recorder struct {
	mu      sync.Mutex // guards the rest
	leading bool
	tail    []heard
	bytes   int64
}

// heard is a message of others.
type heard struct {
	message Message
	at      time.Time
}

// Hear tells the store of a message that a server which keeps nothing has sent to the lobby. It must be told of all of them, in the order in
// which they came, by one goroutine.
func (s *Redis) Hear(p socketio.Payload) {
	s.active.Store(true)
	m := Message{Payload: own(p)}
	r := &s.rec
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	r.tail = append(r.tail, heard{m, now})
	r.bytes += m.size()
	for len(r.tail) > 0 && (now.Sub(r.tail[0].at) > tailFor || r.bytes > tailBytes) {
		r.bytes -= r.tail[0].message.size()
		r.tail[0] = heard{}
		r.tail = r.tail[1:]
	}
	if r.leading {
		s.queue.push(&waiting{message: m, foreign: true, since: now})
	}
}

func (r *recorder) leads() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.leading
}

func (r *recorder) stepDown() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.leading = false
}

// lease tries to be or to stay the recorder. Those that have just begun leave it to those that have heard more. Without Redis it stays what it is: what it appends then is refused should another be it.
func (s *Redis) lease() {
	if time.Since(s.begun) < s.young {
		return
	}
	ctx, cancel := context.WithTimeout(s.ctx, commandTimeout)
	defer cancel()
	state, err := leaseScript.Run(ctx, s.client, []string{prefix + "recorder"}, s.me, leaseFor.Milliseconds()).Int()
	switch {
	case err != nil:
		if s.ctx.Err() == nil {
			s.log.Warn("recorder", "Redis does not say who keeps what other servers send", slog.Any("error", err))
		}
	case state == 0:
		s.rec.stepDown()
	case !s.rec.leads() && s.queue.hasForeign():
		// What it took over the last time is on its way still: it would be appended twice.
	case !s.rec.leads():
		if err := s.takeOver(ctx); err != nil {
			s.log.Warn("recorder", "what other servers sent in the last seconds may be missing in the history", slog.Any("error", err))
		}
	}
}

// takeOver appends what the recorder before did not, and leads from there on.
func (s *Redis) takeOver(ctx context.Context) error {
	kept, err := s.foreignTail(ctx)
	if err != nil {
		return err
	}
	r := &s.rec
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	for _, h := range r.tail[follow(r.tail, kept):] {
		s.queue.push(&waiting{message: h.message, foreign: true, since: now})
	}
	r.leading = true
	return nil
}

// foreignTail reads what recorders have appended in the last seconds, oldest first.
func (s *Redis) foreignTail(ctx context.Context) (list []Message, err error) {
	all, foreign, err := s.readRange(ctx, "", at(time.Now().Add(-2*tailFor)), "+", s.limits.Count)
	for i, m := range all {
		if foreign[i] {
			list = append(list, m)
		}
	}
	return list, err
}

// enough messages in a row that are the same are no coincidence.
const enough = 16

// follow finds the place in tail up to which its messages are the last of kept.
func follow(tail []heard, kept []Message) int {
	for n := len(tail); n > 0; n-- {
		overlap := min(n, len(kept), enough)
		if overlap > 0 && sameMessages(tail[n-overlap:n], kept[len(kept)-overlap:]) {
			return n
		}
	}
	return 0
}

func sameMessages(a []heard, b []Message) bool {
	for i := range a {
		if !samePayload(a[i].message.Payload, b[i].Payload) {
			return false
		}
	}
	return true
}

func samePayload(a, b socketio.Payload) bool {
	if !bytes.Equal(a.JSON, b.JSON) || len(a.Attachments) != len(b.Attachments) {
		return false
	}
	for i := range a.Attachments {
		if !bytes.Equal(a.Attachments[i], b.Attachments[i]) {
			return false
		}
	}
	return true
}

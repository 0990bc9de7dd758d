package history

import (
	"context"
	_ "embed" // the scripts
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/redis/go-redis/v9"
)

//go:embed append.lua
var appendText string

//go:embed page.lua
var pageText string

//go:embed lease.lua
var leaseText string

//go:embed claim.lua
var claimText string

//go:embed release.lua
var releaseText string

var (
	appendScript  = redis.NewScript(appendText)
	pageScript    = redis.NewScript(pageText)
	leaseScript   = redis.NewScript(leaseText)
	claimScript   = redis.NewScript(claimText)
	releaseScript = redis.NewScript(releaseText)
)

// maxBatch is how many messages one command appends: Redis does nothing else meanwhile.
const maxBatch = 64

// The pauses between two attempts to append.
const (
	firstPause = 50 * time.Millisecond
	lastPause  = time.Second
)

// write appends what is queued, batch by batch, each until Redis has taken it.
func (s *Redis) write() {
	for number := uint64(1); ; {
		batch := s.queue.take(maxBatch)
		if len(batch) == 0 {
			select {
			case <-s.queue.wake:
				continue
			case <-s.ctx.Done():
				return
			}
		}
		if !s.appendBatch(number, batch) {
			for _, w := range batch {
				w.tell(Receipt{})
			}
			s.queue.finished()
			return
		}
		number++
		s.queue.finished()
	}
}

// appendBatch tries until Redis has answered. It reports false when the store is closed.
func (s *Redis) appendBatch(number uint64, batch []*waiting) bool {
	args := s.arguments(number, batch)
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		ctx, cancel := context.WithTimeout(s.ctx, commandTimeout)
		ids, err := appendScript.Run(ctx, s.client, []string{prefix + "writer:" + s.me}, args...).StringSlice()
		cancel()
		if err == nil {
			s.appended(batch, ids)
			return true
		}
		if s.ctx.Err() != nil {
			return false
		}
		s.log.Warn("append", "messages wait until Redis can keep them", slog.Any("error", err))
		s.queue.overdue(time.Now().Add(-commandTimeout))
		select {
		case <-time.After(pause/2 + rand.N(pause)):
		case <-s.ctx.Done():
			return false
		}
	}
}

// appended tells the senders. No ids: another instance is the recorder, and has these messages itself.
func (s *Redis) appended(batch []*waiting, ids []string) {
	if n := s.queue.givenUp(); n > 0 {
		s.log.Warn("lost", "messages are not in the history: too many waited for Redis", slog.Int("messages", n))
	}
	if len(ids) == 0 && batch[0].foreign {
		s.rec.stepDown()
	}
	if len(ids) > len(batch) {
		s.log.Warn("keys", "the history's keys in Redis are not as this server left them: rename or delete the one that is named",
			slog.String("error", ids[len(batch)]), slog.String("keys", prefix+"*"))
	}
	for i, w := range batch {
		r := Receipt{}
		if i < len(ids) {
			id, err := ParseID(ids[i])
			r = Receipt{id, err == nil}
		}
		w.tell(r)
	}
}

// arguments are those of append.lua.
func (s *Redis) arguments(number uint64, batch []*waiting) []any {
	token := ""
	if batch[0].foreign {
		token = s.me
	}
	args := []any{prefix, s.me, number, s.limits.Count, s.limits.Bytes / 2, s.limits.Age.Milliseconds(), token, len(batch)}
	for _, w := range batch {
		m := &w.message
		var fields []any
		if m.Payload.JSON != nil {
			fields = append(fields, "p", m.Payload.JSON)
		}
		for _, b := range m.Payload.Attachments {
			fields = append(fields, "b", b)
		}
		if m.From != "" {
			fields = append(fields, "f", m.From)
		}
		if w.foreign {
			fields = append(fields, "o", "1")
		}
		args = append(args, m.Room, m.Once, m.size(), len(fields))
		args = append(args, fields...)
	}
	return args
}

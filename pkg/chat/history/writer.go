package history

import (
	"context"
	_ "embed" // the scripts
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

//go:embed append.lua
var appendText string

//go:embed lease.lua
var leaseText string

//go:embed claim.lua
var claimText string

//go:embed release.lua
var releaseText string

var (
	appendScript  = redis.NewScript(appendText)
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

var errEntry = errors.New("history: an entry of the stream is not as it should be")

// readEntries reads what XRANGE answers: a list of entries, each an id and a list of fields. A reader of maps would lose repeated fields.
func readEntries(room string, answer any) (list []Message, foreign []bool, err error) {
	entries, ok := answer.([]any)
	if !ok && answer != nil {
		return nil, nil, errEntry
	}
	for _, e := range entries {
		pair, ok := e.([]any)
		if !ok || len(pair) != 2 {
			return nil, nil, errEntry
		}
		m, other, err := readEntry(pair[0], pair[1])
		if err != nil {
			return nil, nil, err
		}
		m.Room = room
		list, foreign = append(list, m), append(foreign, other)
	}
	return list, foreign, nil
}

func readEntry(id, fields any) (m Message, foreign bool, err error) {
	text, _ := id.(string)
	if m.ID, err = ParseID(text); err != nil {
		return m, false, fmt.Errorf("%w: %q", errEntry, strconv.Quote(text))
	}
	list, ok := fields.([]any)
	if !ok || len(list)%2 != 0 {
		return m, false, errEntry
	}
	for i := 0; i < len(list); i += 2 {
		name, _ := list[i].(string)
		value, ok := list[i+1].(string)
		if !ok {
			return m, false, errEntry
		}
		switch name {
		case "p":
			m.Payload.JSON = []byte(value)
		case "b":
			m.Payload.Attachments = append(m.Payload.Attachments, []byte(value))
		case "f":
			m.From = value
		case "o":
			foreign = true
		}
	}
	return m, foreign, nil
}

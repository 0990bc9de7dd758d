// Package ratelog keeps the log readable while something that anybody outside can cause goes on: of
// warnings with the same key one is written in ten seconds, with the number of those left out.
//
//	var log ratelog.Log // with a Logger
//	log.Warn("MAX_CONNECTIONS", "a client was refused", …)
//
// Keys are constants of the program: a Log remembers each for good. A Log may be used from any
// goroutine; it has no timer, so the number left out comes with the next line that is written.
package ratelog

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// Every is the least time between two lines with the same key.
const Every = 10 * time.Second

// A Log writes warnings to Logger, sparingly. It must not be copied once used.
type Log struct {
	Logger *slog.Logger // nil: nothing is written

	mu   sync.Mutex // guards the rest
	keys map[string]*state
}

type state struct {
	next    time.Time // when a line may be written again
	leftOut int
}

// Warn writes a line at level warn, unless one with this key was written just now.
func (l *Log) Warn(key, msg string, attrs ...slog.Attr) {
	if l.Logger == nil {
		return
	}
	leftOut, due := l.Due(key)
	if !due {
		return
	}
	if leftOut > 0 {
		attrs = append(attrs, slog.Int("times_left_out", leftOut))
	}
	l.Logger.LogAttrs(context.Background(), slog.LevelWarn, msg, attrs...)
}

// Due tells whether a line with this key may be written now, by a caller that words it differently than Warn
// does, and how many have been left out since the last one.
func (l *Log) Due(key string) (leftOut int, due bool) {
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.keys[key]
	if s == nil {
		if l.keys == nil {
			l.keys = make(map[string]*state)
		}
		s = new(state)
		l.keys[key] = s
	}
	if now.Before(s.next) {
		s.leftOut++
		return 0, false
	}
	leftOut, s.leftOut, s.next = s.leftOut, 0, now.Add(Every)
	return leftOut, true
}

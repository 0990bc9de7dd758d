// Package logtest is for tests that read what a server logs while it goes on logging.
//
//	log := new(logtest.Buffer)
//	serve(slog.New(slog.NewTextHandler(log, nil)))
//	strings.Contains(log.String(), "…")
package logtest

import (
	"bytes"
	"sync"
)

// A Buffer collects what is written to it. It may be used from any goroutine; the zero value is empty.
type Buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write never fails.
func (l *Buffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

// String returns all that has been written.
func (l *Buffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

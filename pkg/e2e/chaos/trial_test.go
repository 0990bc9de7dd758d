package chaos

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

// A trial is a testing.TB whose failure is a result, so that a schedule can be tried again with less in it.
type trial struct {
	testing.TB

	mu       sync.Mutex
	failed   bool
	log      []string
	cleanups []func()
}

// try runs f with a trial of its own, cleans up after it, and returns the trial.
func try(t testing.TB, f func(t testing.TB)) *trial {
	tr := &trial{TB: t}
	done := make(chan struct{})
	go func() { // may end by FailNow
		defer close(done)
		f(tr)
	}()
	<-done
	for _, f := range slices.Backward(tr.cleanups) {
		f()
	}
	return tr
}

func (t *trial) note(failed bool, text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failed = t.failed || failed
	t.log = append(t.log, strings.TrimSuffix(text, "\n"))
}

func (t *trial) Cleanup(f func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cleanups = append(t.cleanups, f)
}

func (t *trial) Failed() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.failed
}

func (t *trial) Fail()                     { t.note(true, "failed") }
func (t *trial) FailNow()                  { t.Fail(); runtime.Goexit() }
func (t *trial) Log(args ...any)           { t.note(false, fmt.Sprintln(args...)) }
func (t *trial) Logf(f string, a ...any)   { t.note(false, fmt.Sprintf(f, a...)) }
func (t *trial) Error(args ...any)         { t.note(true, fmt.Sprintln(args...)) }
func (t *trial) Errorf(f string, a ...any) { t.note(true, fmt.Sprintf(f, a...)) }
func (t *trial) Fatal(args ...any)         { t.Error(args...); runtime.Goexit() }
func (t *trial) Fatalf(f string, a ...any) { t.Errorf(f, a...); runtime.Goexit() }

func (t *trial) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.Join(t.log, "\n")
}

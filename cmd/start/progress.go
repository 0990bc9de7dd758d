package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

const (
	repaint = 250 * time.Millisecond // of the line on a terminal
	report  = 15 * time.Second       // between lines elsewhere
)

// progress tells what is going on: on a terminal in one line for each step, which counts the seconds; elsewhere in a line
// when a step begins, one now and then, and one when it ends. A step of under a second that had nothing to do is silent.
type progress struct {
	out      io.Writer
	terminal bool
	every    time.Duration
}

func newProgress(out *os.File) *progress {
	info, err := out.Stat()
	terminal := err == nil && info.Mode()&os.ModeCharDevice != 0
	if terminal {
		return &progress{out, true, repaint}
	}
	return &progress{out, false, report}
}

// step is one thing that takes time. What it shows comes from detail, which may be set from any goroutine.
type step struct {
	p     *progress
	name  string
	start time.Time
	stop  chan struct{}
	done  sync.WaitGroup

	mu     sync.Mutex
	detail string
	shown  int // characters of the line on the terminal
}

// begin starts a step, such as "server" with "compiling".
func (p *progress) begin(name, detail string) *step {
	s := &step{p: p, name: name, start: time.Now(), stop: make(chan struct{}), detail: detail}
	s.show()
	s.done.Go(func() { // ends with end
		tick := time.NewTicker(p.every)
		defer tick.Stop()
		for {
			select {
			case <-s.stop:
				return
			case <-tick.C:
				s.show()
			}
		}
	})
	return s
}

// set changes what the step shows.
func (s *step) set(detail string) {
	s.mu.Lock()
	s.detail = detail
	s.mu.Unlock()
}

// end finishes the step with a last word.
func (s *step) end(detail string) {
	close(s.stop)
	s.done.Wait()
	s.set(detail)
	s.show()
	if s.p.terminal {
		fmt.Fprintln(s.p.out)
	}
}

// show writes the line.
func (s *step) show() {
	s.mu.Lock()
	defer s.mu.Unlock()
	line := fmt.Sprintf("%-7s %s", s.name, s.detail)
	if seconds := int(time.Since(s.start).Seconds()); seconds > 0 {
		line += fmt.Sprintf(" (%d s)", seconds)
	}
	if !s.p.terminal {
		fmt.Fprintln(s.p.out, line)
		return
	}
	pad := max(0, s.shown-len(line))
	s.shown = len(line)
	fmt.Fprint(s.p.out, "\r", line, strings.Repeat(" ", pad))
}

// note is a line between steps.
func (p *progress) note(text string) { fmt.Fprintln(p.out, text) }

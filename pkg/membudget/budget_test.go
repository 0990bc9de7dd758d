package membudget

import (
	"context"
	"errors"
	"math"
	"os"
	"runtime/debug"
	"testing"
	"time"
)

// newTest returns a budget of 1,000 bytes that reads used.
func newTest(t *testing.T, used *int64, holders ...Holder) *Budget {
	before := debug.SetMemoryLimit(-1)
	t.Cleanup(func() { debug.SetMemoryLimit(before) })
	b := New(Options{Limit: 1000, Holders: holders})
	b.at = marks{busy: 500, calm: 650, refuse: 700, shed: 800}
	debug.SetMemoryLimit(math.MaxInt64) // the test needs more
	b.read = func() int64 { return *used }
	return b
}

func TestBudgetRefusesThenSheds(t *testing.T) {
	var used int64
	var asked []string
	holder := func(name string, has int64) Holder {
		return Holder{Name: name, Shed: func(want int64) (int64, int) {
			asked = append(asked, name)
			give := min(want, has)
			has -= give
			used -= give
			return give, 1
		}}
	}
	b := newTest(t, &used, holder("clients", 40), holder("recovery", 500))
	for _, step := range []struct {
		used, after int64
		refuses     bool
		asked       int
		next        time.Duration
	}{
		{used: 100, after: 100, next: seldom},
		{used: 600, after: 600, next: often},
		{used: 760, after: 760, refuses: true, next: often},
		{used: 900, after: 650, refuses: true, asked: 2, next: shedding},
		{used: 650, after: 650, next: often},
		{used: 860, after: 650, refuses: true, asked: 2, next: shedding},
		{used: 100, after: 100, next: seldom},
	} {
		used, asked = step.used, nil
		if next := b.look(); next != step.next {
			t.Errorf("%d: looks again after %v, want %v", step.used, next, step.next)
		}
		if used != step.after || len(asked) != step.asked {
			t.Errorf("%d: %d left, want %d; asked %v", step.used, used, step.after, asked)
		}
		if err := b.Admit(); (err != nil) != step.refuses {
			t.Errorf("%d: %v", step.used, err)
		}
	}
	used = 710
	b.look()
	b.began = b.began.Add(-mayRefuse) // it has refused for long
	if b.look(); used != 650 {
		t.Errorf("%d left, although new sessions were refused for long", used)
	}
	used = 600
	b.look()
	for range 3 {
		if b.Take(1000) {
			t.Error("there is room for 1000 bytes")
		}
	}
	if !b.Take(150) || b.Take(100) || !b.Take(40) {
		t.Error("there is room for 200 bytes until the next look, whatever was refused")
	}
	if b.look(); !b.Take(150) {
		t.Error("no room after the next look")
	}
	s := b.Stats()
	if s.Refused != 3 || s.Shed["clients"] != 3 || s.Shed["recovery"] != 3 || s.ShedBytes != 520 || s.Limit != 1000 {
		t.Errorf("%+v", s)
	}
	var status interface{ HTTPStatus() int }
	if !errors.As(ErrFull, &status) || status.HTTPStatus() != 503 {
		t.Error(ErrFull)
	}
}

func TestMarks(t *testing.T) {
	for _, tt := range []struct{ limit, refuse, shed int64 }{{300, 198, 216}, {1 << 10, 870, 921}, {8 << 10, 6963, 7372}} {
		at := marksFor(tt.limit << 20)
		if at.refuse>>20 != tt.refuse || at.shed>>20 != tt.shed {
			t.Errorf("%d MiB: refuses at %d, sheds at %d", tt.limit, at.refuse>>20, at.shed>>20)
		}
		if at.busy > at.refuse || at.refuse >= at.shed || at.shed >= at.collect || at.collect >= tt.limit<<20 {
			t.Errorf("%d MiB: %+v", tt.limit, at)
		}
	}
}

func TestNoBudget(t *testing.T) {
	b := New(Options{})
	b.Run(t.Context())
	if err := b.Admit(); err != nil || b.Stats().Limit != 0 {
		t.Error(err, b.Stats())
	}
}

func TestRunEnds(t *testing.T) {
	var used int64
	b := newTest(t, &used)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { b.Run(ctx); close(done) }()
	cancel()
	<-done
}

func TestContainerLimit(t *testing.T) {
	const v2, v1 = "/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"
	for name, tt := range map[string]struct {
		files map[string]string
		want  int64
	}{
		"none":         {nil, 0},
		"version 2":    {map[string]string{v2: "314572800\n"}, 314572800},
		"no limit, 2":  {map[string]string{v2: "max\n"}, 0},
		"version 1":    {map[string]string{v1: "314572800\n"}, 314572800},
		"no limit, 1":  {map[string]string{v1: "9223372036854771712\n"}, 0},
		"2 before 1":   {map[string]string{v2: "1000\n", v1: "2000\n"}, 1000},
		"unreadable 2": {map[string]string{v2: "garbage"}, 0},
	} {
		got := containerLimit(func(name string) ([]byte, error) {
			if text, ok := tt.files[name]; ok {
				return []byte(text), nil
			}
			return nil, os.ErrNotExist
		})
		if got != tt.want {
			t.Errorf("%s: %d, want %d", name, got, tt.want)
		}
	}
}

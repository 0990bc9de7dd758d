package schedule_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"socketio-chat/pkg/e2e/schedule"
)

// A diary is a world to which little happens.
type diary struct {
	mu    sync.Mutex
	lines []string
	began time.Time
}

func (d *diary) note(what string, n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, fmt.Sprint(time.Since(d.began), " ", what, n))
}

func noted(name string) func(d *diary, n int) func() {
	return func(d *diary, n int) func() {
		d.note(name, n)
		return func() { d.note("not "+name, n) }
	}
}

var kinds = schedule.Kinds[*diary]{
	{Name: "rain", Weight: 3, Least: time.Second, Most: 3 * time.Second, On: "sky", Count: 1, Strike: noted("rain")},
	{Name: "snow", Weight: 1, Most: time.Second, On: "sky", Count: 1, Strike: noted("snow")},
	{Name: "flood", Weight: 2, On: "river", Count: 4, Strike: noted("flood")},
}

func TestSchedulesAreDrawnAndRead(t *testing.T) {
	for seed := range uint64(50) {
		s := kinds.Draw(seed, 20*time.Second)
		again, err := kinds.Read(s.String())
		if err != nil || !reflect.DeepEqual(again, s) || !reflect.DeepEqual(kinds.Draw(seed, 20*time.Second), s) {
			t.Fatalf("seed %d: %v:\n%v\n%v", seed, err, s, again)
		}
		until := map[string]time.Duration{}
		for _, b := range s {
			on := strings.Replace(strings.Replace(b.Kind, "snow", "sky", 1), "rain", "sky", 1) + fmt.Sprint(b.N)
			if b.At < until[on] {
				t.Errorf("seed %d: %v strikes what is struck already:\n%v", seed, b, s)
			}
			until[on] = b.At + b.Last
		}
	}
	for _, text := range []string{"1s rain 0", "1s laugh 0 1s", "x rain 0 1s", "1s rain x 1s", "1s rain 0 x", "1s rain 1 1s", "1s rain -1 1s"} {
		if s, err := kinds.Read(text); err == nil {
			t.Errorf("%s: %v", text, s)
		}
	}
}

func TestRunLetsBlowsTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := kinds.Read("2s flood 3 1s; 1s rain 0 2s; 2s snow 0 1s")
		if err != nil {
			t.Fatal(err)
		}
		d := &diary{began: time.Now()}
		kinds.Run(d, s)
		want := []string{"1s rain0", "2s flood3", "3s not flood3", "3s not rain0", "3s snow0", "4s not snow0"}
		if slices.Sort(d.lines); !slices.Equal(d.lines, want) {
			t.Errorf("%q", d.lines)
		}
	})
}

func TestShrinkFindsWhatItTakes(t *testing.T) {
	s := kinds.Draw(1, time.Minute)
	needed := []schedule.Blow{s[3], s[len(s)/2], s[len(s)-1]}
	got := s.Shrink(func(less schedule.Schedule) bool {
		return !slices.ContainsFunc(needed, func(b schedule.Blow) bool { return !slices.Contains(less, b) })
	}, func() bool { return true })
	if !slices.Equal(got, needed) {
		t.Errorf("%v, want %v", got, needed)
	}
}

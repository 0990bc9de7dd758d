package verdict_test

import (
	"testing"
	"testing/synctest"
	"time"

	"socketio-chat/pkg/e2e/verdict"
)

// TestExcuses: a client was on instance 1 until second 20 and came back to instance 2 at second 22, where it was refused. Instance 1 began with
// the run, instance 2 as the row says.
func TestExcuses(t *testing.T) {
	type strike struct {
		kind     string
		process  int
		from, to float64
	}
	for _, tt := range []struct {
		name     string
		strikes  []strike
		began    float64
		end      *verdict.Ending // of instance 1
		lossless bool
		why      string
		tried    []int
		want     string
	}{
		{name: "nothing happened", why: "unknown"},
		{name: "a client's line is nobody's excuse", strikes: []strike{{"cut", 0, 19, 21}, {"front-cut", 1, 19, 21}}, why: "unknown"},
		{name: "the Redis forgot", strikes: []strike{{"redis-forget", 0, 18, 21}}, why: "unknown", want: "Redis forgot"},
		{name: "it forgot long before", strikes: []strike{{"redis-forget", 0, 5, 7}}, why: "unknown"},
		{name: "the instance was cut off, and taken for dead", strikes: []strike{{"back-cut", 1, 16, 30}}, why: "unknown", want: "its instance or the asked one was cut off"},
		{name: "it was for a moment", strikes: []strike{{"back-cut", 1, 19, 19.5}}, lossless: true, why: "unknown"},
		{name: "the asked one was, and the reason is another", strikes: []strike{{"back-cut", 2, 19, 30}}, why: "unknown"},
		{name: "the asked one was all the time", strikes: []strike{{"back-jam", 2, 10, 22}}, why: "timeout", want: "its instance or the asked one was cut off"},
		{name: "a third one was", strikes: []strike{{"back-jam", 3, 10, 30}}, why: "timeout"},
		{name: "the instance was stopped", strikes: []strike{{"stop", 1, 16, 30}}, why: "timeout", want: "its instance or the asked one was cut off"},
		{name: "messages were lost", strikes: []strike{{"client-kill", 0, 20.5, 20.6}}, why: "cut", want: "messages were lost meanwhile"},
		{name: "none were, the stream keeps them", strikes: []strike{{"client-kill", 0, 20.5, 20.6}}, lossless: true, why: "cut"},
		{name: "it ended behind the others", strikes: []strike{{"back-cut", 1, 12, 19}}, end: &verdict.Ending{At: at(19.5)}, lossless: true, why: "cut",
			want: "its instance ended behind the others"},
		{name: "it ended in order", end: &verdict.Ending{At: at(19.5)}, lossless: true, why: "cut"},
		{name: "they never met", strikes: []strike{{"back-jam", 1, 12, 17}}, began: 18, why: "unknown", want: "the asked one began when its instance was cut off"},
		{name: "they met long ago", strikes: []strike{{"back-jam", 1, 2, 5}}, began: 6, why: "unknown"},
		{name: "another one took it along", why: "unknown", tried: []int{3, 2}, want: "it was given to an instance that was killed"},
		{name: "another one did not", why: "cut", tried: []int{3, 2}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				moment := func(s float64) time.Time { return began.Add(time.Duration(s * float64(time.Second))) }
				i := &verdict.Incidents{Lossless: tt.lossless}
				i.Began(1)
				for _, s := range tt.strikes {
					go func() {
						time.Sleep(time.Until(moment(s.from)))
						over := i.Struck(s.kind, s.process)
						time.Sleep(time.Until(moment(s.to)))
						over()
					}()
				}
				time.Sleep(time.Until(moment(tt.began)))
				i.Began(2)
				time.Sleep(time.Minute)
				ends := map[int]verdict.Ending{3: {At: moment(20.5), Killed: true}}
				if tt.end != nil {
					e := *tt.end
					e.At = began.Add(e.At.Sub(at(0)))
					ends[1] = e
				}
				was := verdict.Stay{At: 1, From: began, To: moment(20)}
				is := verdict.Stay{At: 2, From: moment(22), Asked: true, Why: tt.why, Tried: append([]int{}, tt.tried...)}
				if len(is.Tried) == 0 {
					is.Tried = []int{2}
				}
				if got := i.Rules(ends).Gone(was, is); got != tt.want {
					t.Errorf("%q, want %q", got, tt.want)
				}
			})
		})
	}
}

// TestRefusalsTell: a reason belongs to a process and a client's address, and to the stay's beginning or its end.
func TestRefusalsTell(t *testing.T) {
	var r verdict.Refusals
	r.Note(1, "127.0.0.1:5", "cut")
	r.Note(2, "127.0.0.1:6", "unknown")
	m := &verdict.Memory{Stays: []verdict.Stay{
		{At: 1, Client: "127.0.0.1:5", Recovered: true}, {At: 2, Client: "127.0.0.1:6"}, {At: 2, Client: "127.0.0.1:5"}, {At: 3},
	}}
	r.Tell(m)
	for i, want := range []struct{ why, ended string }{{"", "cut"}, {"unknown", ""}, {"", ""}, {"", ""}} {
		if s := m.Stays[i]; s.Why != want.why || s.Ended != want.ended {
			t.Errorf("stay %d: %q and %q, want %q and %q", i, s.Why, s.Ended, want.why, want.ended)
		}
	}
}

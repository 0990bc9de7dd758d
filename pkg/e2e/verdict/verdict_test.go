package verdict_test

import (
	"slices"
	"testing"
	"time"

	"socketio-chat/pkg/e2e/verdict"
)

// at is a moment of a run, in seconds.
func at(s float64) time.Time { return time.Unix(1000, 0).Add(time.Duration(s * float64(time.Second))) }

// said are words of one connection, one a second.
func said(from string, n int) (list []verdict.Word) {
	for i := range n {
		list = append(list, verdict.Word{From: from, Seq: i, At: at(float64(i)), Stay: 1})
	}
	return list
}

// heard are words by their numbers, each a little after it was said.
func heard(from string, seqs ...int) (list []verdict.Word) {
	for _, n := range seqs {
		list = append(list, verdict.Word{From: from, Seq: n, At: at(float64(n) + 0.1)})
	}
	return list
}

// TestVerdicts: ann says five words on instance 1 and hears what the row says of them; bob listens on instance 1, cid on instance 2.
func TestVerdicts(t *testing.T) {
	for _, tt := range []struct {
		name          string
		ann, bob, cid []int
		ends          map[int]verdict.Ending
		want          []string
	}{
		{"all is well", []int{0, 1, 2, 3, 4}, []int{0, 1, 2, 3, 4}, []int{0, 1, 2, 3, 4}, nil, nil},
		{"twice", []int{0, 1, 2, 3, 4}, []int{0, 1, 1, 2, 3, 4}, []int{0, 1, 2, 3, 4}, nil, []string{"1 came twice"}},
		{"swapped", []int{0, 1, 2, 3, 4}, []int{0, 2, 1, 3, 4}, []int{0, 1, 2, 3, 4}, nil, []string{"1 came out of order"}},
		{"lost on the same instance", []int{0, 1, 2, 3, 4}, []int{0, 1, 3, 4}, []int{0, 1, 2, 3, 4}, nil, []string{"1 were lost on the speaker's own instance"}},
		{"lost on another one", []int{0, 1, 2, 3, 4}, []int{0, 1, 2, 3, 4}, []int{0, 1, 3}, nil, []string{"2 were lost across instances"}},
		{"lost by all", []int{0, 1, 3, 4}, []int{0, 1, 3, 4}, []int{0, 1, 3, 4}, nil,
			[]string{"2 were lost on the speaker's own instance", "1 were lost across instances"}},
		{"never received, perhaps", []int{0, 1, 2}, []int{0, 1, 2}, []int{0, 1, 2}, nil, nil},
		{"the instance was killed", []int{0, 1, 2, 3, 4}, []int{0, 1, 2, 3, 4}, []int{0, 1, 2}, map[int]verdict.Ending{1: {At: at(6), Killed: true}}, nil},
		{"it gave up", []int{0, 1, 2, 3, 4}, []int{0, 1, 2, 3, 4}, []int{0, 1, 2}, map[int]verdict.Ending{1: {At: at(6), GaveUp: true}}, nil},
		{"it ended in order", []int{0, 1, 2, 3, 4}, []int{0, 1, 2, 3, 4}, []int{0, 1, 2}, map[int]verdict.Ending{1: {At: at(6)}}, []string{"2 were lost across instances"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			people := []*verdict.Memory{
				{Name: "ann", Stays: []verdict.Stay{{At: 1, From: at(-1)}}, Said: said("ann", 5), Heard: heard("ann", tt.ann...)},
				{Name: "bob", Stays: []verdict.Stay{{At: 1, From: at(-1)}}, Heard: heard("ann", tt.bob...)},
				{Name: "cid", Stays: []verdict.Stay{{At: 2, From: at(-1)}}, Heard: heard("ann", tt.cid...)},
			}
			v := verdict.Judge(people, tt.ends, verdict.Rules{Lossless: true})
			if !slices.Equal(v.Complaints, tt.want) {
				t.Errorf("%q, want %q\n%s\n%v", v.Complaints, tt.want, verdict.Head, v)
			}
		})
	}
}

// A session goes on over connections that recovered it: what was said meanwhile is due to it. Another one begins anew.
func TestSessionsAreOwedWhatWasSaidMeanwhile(t *testing.T) {
	for _, recovered := range []bool{true, false} {
		cid := &verdict.Memory{
			Name:  "cid",
			Stays: []verdict.Stay{{At: 2, From: at(-1), To: at(1.5)}, {At: 3, From: at(3.5), Asked: true, Recovered: recovered}},
			Heard: slices.Concat(heard("ann", 0, 1), []verdict.Word{{From: "ann", Seq: 3, At: at(3.6)}}, heard("ann", 4)),
		}
		ann := &verdict.Memory{Name: "ann", Stays: []verdict.Stay{{At: 1, From: at(-1)}}, Said: said("ann", 5), Heard: heard("ann", 0, 1, 2, 3, 4)}
		v := verdict.Judge([]*verdict.Memory{ann, cid}, nil, verdict.Rules{Lossless: true})
		lost := 0
		if recovered {
			lost = 1
		}
		if v.LostCross != lost || v.Cut != 1 || v.Recovered != lost || recovered && !slices.Equal(v.Losses[0].At, []int{2, 3}) {
			t.Errorf("recovered %v:\n%s\n%v", recovered, verdict.Head, v)
		}
	}
}

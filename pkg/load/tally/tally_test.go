package tally

import (
	"math/rand/v2"
	"testing"
)

func TestGot(t *testing.T) {
	type step struct {
		seq  uint32
		want Verdict
	}
	for _, tt := range []struct {
		name    string
		steps   []step
		sent    uint32
		missing uint64
	}{
		{"nothing sent", nil, 0, 0},
		{"nothing came", nil, 5, 5},
		{"all in order", []step{{0, InOrder}, {1, InOrder}, {2, InOrder}}, 3, 0},
		{"the last ones missing", []step{{0, InOrder}}, 3, 2},
		{"the first missing", []step{{1, InOrder}, {2, InOrder}}, 3, 1},
		{"two swapped", []step{{1, InOrder}, {0, Late}, {2, InOrder}}, 3, 0},
		{"twice", []step{{0, InOrder}, {0, Duplicate}}, 1, 0},
		{"late and twice", []step{{1, InOrder}, {0, Late}, {0, Duplicate}}, 2, 0},
		{"middle of a gap", []step{{5, InOrder}, {2, Late}, {2, Duplicate}, {3, Late}, {0, Late}, {4, Late}}, 6, 1},
		{"two gaps", []step{{2, InOrder}, {5, InOrder}, {3, Late}, {0, Late}}, 6, 2},
		{"reversed", []step{{3, InOrder}, {2, Late}, {1, Late}, {0, Late}}, 4, 0},
	} {
		r := NewReceiver(2, &Budget{Spans: 10})
		for i, s := range tt.steps {
			if got := r.Got(1, s.seq); got != s.want {
				t.Errorf("%s: step %d (number %d) is %d, want %d", tt.name, i, s.seq, got, s.want)
			}
		}
		if got := r.Missing(1, tt.sent); got != tt.missing {
			t.Errorf("%s: %d missing, want %d", tt.name, got, tt.missing)
		}
		if got := r.Missing(0, 0); got != 0 {
			t.Errorf("%s: %d missing of the other sender", tt.name, got)
		}
	}
}

// model is the same counting, done the obvious way.
type model struct {
	seen    map[uint32]bool
	highest int64
}

func (m *model) got(seq uint32) Verdict {
	switch {
	case m.seen[seq]:
		return Duplicate
	case int64(seq) < m.highest:
		m.seen[seq] = true
		return Late
	}
	m.seen[seq], m.highest = true, int64(seq)
	return InOrder
}

func TestAgainstModel(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 1))
		budget := &Budget{Spans: 1000}
		r, m := NewReceiver(1, budget), &model{seen: map[uint32]bool{}, highest: -1}
		const sent = 60
		for i := range 100 {
			seq := uint32(rng.IntN(sent))
			if got, want := r.Got(0, seq), m.got(seq); got != want {
				t.Fatalf("seed %d, arrival %d (number %d): %d, want %d", seed, i, seq, got, want)
			}
		}
		if got, want := r.Missing(0, sent), uint64(sent-len(m.seen)); got != want {
			t.Fatalf("seed %d: %d missing, want %d", seed, got, want)
		}
		if got, want := budget.Open, uint64(m.highest+1)-uint64(len(m.seen)); got != want {
			t.Fatalf("seed %d: %d open, want %d", seed, got, want)
		}
		spans := len(r.gaps[0])
		if budget.Spans != 1000-spans {
			t.Fatalf("seed %d: budget is %d with %d spans remembered", seed, budget.Spans, spans)
		}
	}
}

func TestBudgetBoundsMemoryAndSaysSo(t *testing.T) {
	budget := &Budget{Spans: 2}
	r := NewReceiver(1, budget)
	for seq := uint32(1); seq < 20; seq += 2 { // 0, 2, 4 … 18 are missing
		r.Got(0, seq)
	}
	if !budget.Exceeded {
		t.Error("exceeded its budget in silence")
	}
	if got := r.Missing(0, 20) + r.Unremembered(); got != 10 {
		t.Errorf("%d missing, want 10", got)
	}
}

func TestGoodOrderDoesNotAllocate(t *testing.T) {
	r := NewReceiver(1, &Budget{Spans: 10})
	seq := uint32(0)
	if n := testing.AllocsPerRun(1000, func() { r.Got(0, seq); seq++ }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

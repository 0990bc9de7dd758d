package streams

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

func TestOrigins(t *testing.T) {
	var o Origins
	for _, tc := range []struct {
		from   string
		n      uint64
		again  bool
		missed uint64
	}{
		{"a", 5, false, 0}, {"a", 6, false, 0}, {"a", 6, true, 0}, {"a", 5, true, 0}, {"b", 1, false, 0}, {"a", 10, false, 3}, {"a", 11, false, 0},
	} {
		if again, missed := o.Take(tc.from, tc.n); again != tc.again || missed != tc.missed {
			t.Errorf("%s:%d: again %v, missed %d", tc.from, tc.n, again, missed)
		}
	}
	for i := range 2 * maxOrigins {
		o.Take(fmt.Sprint(i), 1)
		o.Take("b", uint64(i+2)) // is heard of all the time
	}
	if len(o.known) > maxOrigins || o.known["b"] == nil || o.known["a"] != nil {
		t.Errorf("%d origins are known", len(o.known))
	}
}

// A number that is damaged, or was written by a stranger, does not silence its instance.
func TestOriginsDamagedNumber(t *testing.T) {
	for _, damaged := range []uint64{12, 13, 90, 1 << 32, 1<<32 + 12, 1 << 63, math.MaxUint64 - 1, math.MaxUint64} {
		var o Origins
		o.Take("a", 10)
		if again, missed := o.Take("a", damaged); again || missed > maxMissed {
			t.Errorf("%d: again %v, missed %d", damaged, again, missed)
		}
		for n := uint64(11); n < 300; n++ {
			if again, missed := o.Take("a", n); again != (n == damaged) || missed != 0 {
				t.Fatalf("%d behind %d: again %v, missed %d", n, damaged, again, missed)
			}
			if again, _ := o.Take("a", n); !again {
				t.Fatalf("%d is taken twice", n)
			}
		}
	}
}

// Each entry is taken once, whatever an instance gives up and repeats, and whatever else is in the stream.
func TestOriginsRandom(t *testing.T) {
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 1))
		var o Origins
		next, taken, up, counted := uint64(1+r.IntN(1000)), []uint64(nil), uint64(0), uint64(0)
		o.Take("a", next)
		for range 200 {
			switch r.IntN(8) {
			case 0:
				gap := uint64(1 + r.IntN(5))
				next, up = next+gap, up+gap
			case 1: // what was written last, once more
				for _, n := range taken[max(0, len(taken)-8):] {
					if again, _ := o.Take("a", n); !again {
						t.Fatalf("seed %d: %d is taken twice", seed, n)
					}
				}
			case 2:
				o.Take("a", next+1_000_000+r.Uint64()>>r.IntN(44)) // far ahead of anything here
			}
			next++
			again, missed := o.Take("a", next)
			if again {
				t.Fatalf("seed %d: %d is not taken", seed, next)
			}
			taken, counted = append(taken, next), counted+missed
		}
		if counted != up {
			t.Fatalf("seed %d: %d are missed, %d were given up", seed, counted, up)
		}
		if len(o.known["a"].runs) > maxRuns {
			t.Fatalf("seed %d: %d runs", seed, len(o.known["a"].runs))
		}
	}
}

func TestStamps(t *testing.T) {
	for _, text := range []string{"", ":1", "a:", "a:0", "a:-1", "a:x", "a:18446744073709551616"} {
		if _, _, ok := ReadStamp(text); ok {
			t.Errorf("%q is a stamp", text)
		}
	}
	if origin, n, ok := ReadStamp(string(appendStamp(nil, "a:b", 77))); origin != "a:b" || n != 77 || !ok {
		t.Error(origin, n, ok)
	}
}

// What a reader makes of a stream that does not look as expected.

package streams

import (
	"slices"
	"strconv"
	"strings"
)

// maxOrigins bounds of how many instances the latest number is remembered, whatever strangers
// write.
const maxOrigins = 4096

// Origins knows which entries of our instances were read. A publish whose outcome is unknown is
// repeated, so an entry may stand in the stream twice; and what an instance gave up before it could
// publish it is missing. Both show in the numbers. A damaged number may be far ahead of its
// instance's: it says nothing about those before it. Owned by the reader.
type Origins struct {
	clock uint64
	known map[string]*origin
}

// An origin is what was read of one instance: everything before start, which was published
// before anybody here listened, and the runs, which are in order and do not touch.
type origin struct {
	start uint64
	runs  []run
	used  uint64 // clock of the last entry
}

// A run is of consecutive numbers.
type run struct {
	first, last uint64
	used        uint64 // clock of the last entry
}

// maxRuns bounds what is remembered of an instance: it begins a run whenever it has given
// something up.
const maxRuns = 16

// maxMissed is more than an instance can have given up between two entries.
const maxMissed = 1 << 32

// appendStamp writes what an entry carries in the field "seq": the origin and the number.
func appendStamp(b []byte, origin string, n uint64) []byte {
	return strconv.AppendUint(append(append(b, origin...), ':'), n, 10)
}

// ReadStamp is the way back.
func ReadStamp(text string) (origin string, n uint64, ok bool) {
	i := strings.LastIndexByte(text, ':')
	if i < 1 || i > 64 {
		return "", 0, false
	}
	n, err := strconv.ParseUint(text[i+1:], 10, 64)
	return text[:i], n, err == nil && n > 0
}

// Take notes an entry. again tells that it was read before; missed is how many that should have
// come before it did not. A number that cannot be is passed over.
func (o *Origins) Take(from string, n uint64) (again bool, missed uint64) {
	o.clock++
	known := o.known[from]
	if known == nil {
		if o.known == nil {
			o.known = map[string]*origin{}
		}
		if len(o.known) >= maxOrigins {
			o.forget()
		}
		known = &origin{start: n}
		o.known[from] = known
	}
	known.used = o.clock
	return known.take(n, o.clock)
}

func (k *origin) take(n, clock uint64) (again bool, missed uint64) {
	// i is the run that n follows or is in, -1: there is none.
	i := len(k.runs) - 1
	for i >= 0 && k.runs[i].first > n {
		i--
	}
	before := k.start
	if i >= 0 {
		before = k.runs[i].last + 1 // no run ends with the greatest number: see maxMissed
	}
	switch {
	case n < before:
		return true, 0
	case n-before > maxMissed:
		return false, 0
	case i >= 0 && n == before:
		k.runs[i].last, k.runs[i].used = n, clock
	default:
		i++
		k.runs = slices.Insert(k.runs, i, run{n, n, clock})
	}
	if i+1 < len(k.runs) && k.runs[i+1].first == n+1 {
		k.runs[i].last = k.runs[i+1].last
		k.runs = slices.Delete(k.runs, i+1, i+2)
	}
	if len(k.runs) > maxRuns {
		k.forget()
	}
	return false, n - before
}

// forget drops the run that did not go on for longest. If it is the first one, nothing before the
// next is expected any more.
func (k *origin) forget() {
	oldest := 0
	for i, r := range k.runs {
		if r.used < k.runs[oldest].used {
			oldest = i
		}
	}
	if oldest == 0 {
		k.start = k.runs[0].last + 1
	}
	k.runs = slices.Delete(k.runs, oldest, oldest+1)
}

// forget drops the origin that was silent for longest.
func (o *Origins) forget() {
	oldest, used := "", o.clock
	for name, known := range o.known {
		if known.used < used {
			oldest, used = name, known.used
		}
	}
	delete(o.known, oldest)
}

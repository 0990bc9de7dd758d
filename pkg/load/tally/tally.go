// Package tally counts, for every receiver and every sender, which numbered messages have come: exactly how many are
// missing, came twice, or came after a later one.
//
// A receiver remembers the next number it expects of each sender (4 bytes) and, only where something is missing, the
// spans of missing numbers. In good order a message costs one comparison.
//
//	expected 5 ── 5 comes ─► fine, expect 6
//	           ── 8 comes ─► fine, but 5…7 are missing now; expect 9
//	           ── 6 comes ─► Late (an order fault), 5 and 7 are still missing
//	           ── 6 comes ─► Duplicate
//
// What is still missing at the end is lost. Nothing here is safe for concurrent use: a receiver belongs to the
// goroutine that reads its connection, a Budget to the receivers of one goroutine.
package tally

// Verdict is what a message is to the order of its sender's messages.
type Verdict uint8

const (
	// InOrder is newer than everything that came before it.
	InOrder Verdict = iota
	// Late had been missing: a later message of the same sender overtook it.
	Late
	// Duplicate had come before.
	Duplicate
)

// Budget bounds the spans of missing messages that receivers remember together. A server that loses every second
// message cannot make the counting exhaust the memory; over the bound, what is missing counts as lost at once, so that
// late arrivals of it look like duplicates and Exceeded says that the counts are not exact any more.
type Budget struct {
	Spans    int    // how many more may be remembered
	Open     uint64 // messages that are missing now although later ones came, of all receivers
	Exceeded bool
}

// span is a run of missing numbers: from first up to, not including, end.
type span struct{ first, end uint32 }

// Receiver follows what one client receives.
type Receiver struct {
	next   []uint32 // by sender: the number after the highest that came
	gaps   map[uint32][]span
	budget *Budget
	gone   uint64 // missing numbers that the budget did not let us remember
}

// NewReceiver follows messages of the senders 0 to senders-1.
func NewReceiver(senders int, budget *Budget) *Receiver {
	return &Receiver{next: make([]uint32, senders), budget: budget}
}

// Got records the arrival of a sender's message number seq. sender must be in range.
func (r *Receiver) Got(sender, seq uint32) Verdict {
	next := r.next[sender]
	if seq == next {
		r.next[sender] = next + 1
		return InOrder
	}
	if seq > next {
		r.remember(sender, span{next, seq})
		r.next[sender] = seq + 1
		return InOrder
	}
	if r.forget(sender, seq) {
		return Late
	}
	return Duplicate
}

// Missing is how many of a sender's first sent messages have not come.
func (r *Receiver) Missing(sender, sent uint32) uint64 {
	var n uint64
	if next := r.next[sender]; sent > next {
		n = uint64(sent - next)
	}
	for _, g := range r.gaps[sender] {
		n += uint64(g.end - g.first)
	}
	return n
}

// Unremembered is how many missing messages are lost for good because the budget was used up.
func (r *Receiver) Unremembered() uint64 { return r.gone }

func (r *Receiver) remember(sender uint32, g span) {
	r.budget.Open += uint64(g.end - g.first)
	if r.budget.Spans <= 0 {
		r.budget.Exceeded = true
		r.gone += uint64(g.end - g.first)
		return
	}
	r.budget.Spans--
	if r.gaps == nil {
		r.gaps = make(map[uint32][]span)
	}
	r.gaps[sender] = append(r.gaps[sender], g)
}

// forget takes seq out of what is missing and reports whether it was there. Spans are in ascending order, and what
// comes late mostly belongs to the last one.
func (r *Receiver) forget(sender, seq uint32) bool {
	gaps := r.gaps[sender]
	for i := len(gaps) - 1; i >= 0; i-- {
		g := gaps[i]
		if seq >= g.end {
			return false
		}
		if seq < g.first {
			continue
		}
		r.gaps[sender] = r.without(gaps, i, seq)
		r.budget.Open--
		return true
	}
	return false
}

// without removes seq from gaps[i], which holds it: the span shrinks, splits or goes.
func (r *Receiver) without(gaps []span, i int, seq uint32) []span {
	g := gaps[i]
	switch {
	case g.end-g.first == 1:
		r.budget.Spans++
		return append(gaps[:i], gaps[i+1:]...)
	case seq == g.first:
		gaps[i].first++
	case seq == g.end-1:
		gaps[i].end--
	default:
		// The budget may fall below zero here: splits are bounded by what was remembered whole.
		r.budget.Spans--
		gaps = append(gaps, span{})
		copy(gaps[i+2:], gaps[i+1:])
		gaps[i] = span{g.first, seq}
		gaps[i+1] = span{seq + 1, g.end}
	}
	return gaps
}

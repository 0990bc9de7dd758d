package admission

import "time"

// A pace is a token bucket in one word: the time at which it will be full again, counted from the
// limiter's start (the generic cell rate algorithm).
type pace time.Duration

// take takes a token of a bucket that gets rate tokens a second and holds handshakeBurst times as
// many. It reports false, and takes none, when there is none. A rate of 0 has no bound.
func (p *pace) take(rate int, now time.Duration) bool {
	if rate <= 0 {
		return true
	}
	full := max(time.Duration(*p), now) + time.Second/time.Duration(rate)
	if full-now > handshakeBurst*time.Second {
		return false
	}
	*p = pace(full)
	return true
}

// paces holds the buckets of addresses that are not full. One that was not touched for paceLife is:
// so they are kept in two generations of that length, and the older is dropped as a whole. That costs the
// same however many there are; to look for those that are full in one map costs more the more have gone.
type paces struct {
	young, old map[key]pace
	since      time.Duration // when young was made
}

// paceLife is the longest that a bucket takes to fill.
const paceLife = handshakeBurst * time.Second

// get returns the bucket of an address, a full one if there is none.
func (p *paces) get(k key, now time.Duration) pace {
	p.turn(now)
	if bucket, ok := p.young[k]; ok {
		return bucket
	}
	return p.old[k]
}

// set keeps a bucket that get has returned and take has taken from.
func (p *paces) set(k key, bucket pace) { p.young[k] = bucket }

// turn begins a new generation when it is time to.
func (p *paces) turn(now time.Duration) {
	switch age := now - p.since; {
	case p.young != nil && age < paceLife:
		return
	case age < 2*paceLife:
		p.old = p.young
	default:
		p.old = nil // nothing came for so long that all are full
	}
	p.young, p.since = make(map[key]pace), now
}

// len counts the buckets; some of them may be full by now, or be there twice.
func (p *paces) len(now time.Duration) int {
	p.turn(now)
	return len(p.young) + len(p.old)
}

package socketio

import (
	"net/netip"
	"sync"
	"time"
)

// asks bounds how often other instances are asked for sessions that do not exist: a client may name any
// private id. Each address (of the TCP peer; of IPv6 its /64) may have askBurst questions at once and
// askPerSecond from then on that find nothing. One that finds a session costs nothing, so that all clients
// behind a proxy come back at once when their instance ends.
type asks struct {
	mu     sync.Mutex
	start  time.Time               // that buckets count from: their clock is not the wall's, which may be put back
	vain   map[netip.Prefix]bucket // those that asked in vain of late
	pruned time.Duration
}

const (
	askBurst     = 64
	askPerSecond = 16
	// askPrune is how often buckets that are full again are forgotten.
	askPrune = time.Minute
)

func askRate() rate { return newRate(askPerSecond, askBurst) }

// may tells whether an address may ask.
func (a *asks) may(addr string, at time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	b := a.vain[askKey(addr)]
	return b.take(askRate(), 1, a.sinceLocked(at)) == 0
}

// inVain notes a question of an address that found nothing.
func (a *asks) inVain(addr string, at time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.sinceLocked(at)
	if a.vain == nil {
		a.vain, a.pruned = map[netip.Prefix]bucket{}, now
	}
	if now-a.pruned > askPrune {
		a.pruned = now
		for key, b := range a.vain {
			if time.Duration(b) <= now {
				delete(a.vain, key)
			}
		}
	}
	key, r := askKey(addr), askRate()
	b := a.vain[key]
	b.take(r, 1, now)
	a.vain[key] = min(b, bucket(now+r.window)) // questions that were on their way at once take no more than all
}

func (a *asks) sinceLocked(t time.Time) time.Duration {
	if a.start.IsZero() {
		a.start = t
	}
	return t.Sub(a.start)
}

// askKey is what is counted together; addresses that cannot be read are.
func askKey(addr string) netip.Prefix {
	ap, err := netip.ParseAddrPort(addr)
	if err != nil {
		return netip.Prefix{}
	}
	ip, bits := ap.Addr().Unmap(), 64
	if ip.Is4() {
		bits = 32
	}
	key, _ := ip.WithZone("").Prefix(bits) // the bits are right
	return key
}

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
	vain   map[netip.Prefix]budget // those that asked in vain of late
	pruned time.Time
}

// budget is how many questions are left, as of then.
type budget struct {
	left float64
	at   time.Time
}

const (
	askBurst     = 64
	askPerSecond = 16
	// askPrune is how often budgets that are full again are forgotten.
	askPrune = time.Minute
)

func (b budget) now(t time.Time) float64 {
	return min(b.left+t.Sub(b.at).Seconds()*askPerSecond, askBurst)
}

// may tells whether an address may ask.
func (a *asks) may(addr string, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	b, ok := a.vain[askKey(addr)]
	return !ok || b.now(now) >= 1
}

// inVain notes a question of an address that found nothing.
func (a *asks) inVain(addr string, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.vain == nil {
		a.vain, a.pruned = map[netip.Prefix]budget{}, now
	}
	if now.Sub(a.pruned) > askPrune {
		a.pruned = now
		for key, b := range a.vain {
			if b.now(now) >= askBurst {
				delete(a.vain, key)
			}
		}
	}
	key, left := askKey(addr), float64(askBurst)
	if b, ok := a.vain[key]; ok {
		left = b.now(now)
	}
	a.vain[key] = budget{max(left-1, 0), now}
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

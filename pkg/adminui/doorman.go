package adminui

import (
	"context"
	"net/netip"
	"sync"
	"time"
)

// Bounds of attempts to log in.
//
// An attempt beyond them is not refused, or somebody who guesses at the right address would keep out those who have the password. It
// waits, and is compared after the others: guessing gets slow, the right password does not stop working. It is refused only while as many of
// its own network wait, or of all, as may: somebody who shares an address with a flood has to try again when that is over.
const (
	attemptsAtOnce  = 5                      // of one address
	attemptEvery    = 10 * time.Second       // then one in this time
	allAttempts     = 20                     // of all addresses
	allAttemptEvery = 500 * time.Millisecond // then one in this time
	maxAddresses    = 1024                   // that are told apart
	maxWaiting      = 8                      // for a comparison
	maxLate         = 64                     // attempts beyond these bounds that wait at the same time
	maxLateOfOne    = 4                      // of them of one address
	lateDelay       = 2 * time.Second        // that each of them waits at least
	lateEvery       = 500 * time.Millisecond // then one of them is compared in this time
)

// doorman lets in those who have a session or the password.
type doorman struct {
	comparing chan struct{} // holds one while a password is compared
	waiting   chan struct{}
	lane      chan struct{} // holds one while a late attempt is compared, and for lateEvery after
	issued    sync.Map      // socket id to the session it is to be told of

	mu      sync.Mutex // guards the rest
	all     allowance
	address map[string]*allowance // by network
	late    map[string]int        // by network: attempts that wait
	lateAll int
}

func (d *doorman) init() {
	d.comparing, d.waiting = make(chan struct{}, 1), make(chan struct{}, maxWaiting)
	d.lane = make(chan struct{}, 1)
	d.address, d.late = map[string]*allowance{}, map[string]int{}
}

// network is what attempts are counted by: an IPv4 address, or the /64 of an IPv6 address, which one client has for itself.
func network(address string) string {
	addr, err := netip.ParseAddr(address)
	if err != nil || addr.Unmap().Is4() {
		return address
	}
	prefix, err := addr.WithZone("").Prefix(64)
	if err != nil {
		return address
	}
	return prefix.String()
}

// allowance is a token bucket: due is when it will be full again.
type allowance struct{ due time.Time }

func (a *allowance) take(now time.Time, burst int, every time.Duration) bool {
	if a.due.Before(now) {
		a.due = now
	}
	if a.due.Sub(now) > time.Duration(burst-1)*every {
		return false
	}
	a.due = a.due.Add(every)
	return true
}

// mayTry counts an attempt.
func (d *doorman) mayTry(address string, now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	of := d.address[address]
	if of == nil {
		if len(d.address) >= maxAddresses {
			for name, a := range d.address {
				if a.due.Before(now) {
					delete(d.address, name)
				}
			}
		}
		of = &allowance{}
		if len(d.address) < maxAddresses { // the others share the bound of all
			d.address[address] = of
		}
	}
	return of.take(now, attemptsAtOnce, attemptEvery) && d.all.take(now, allAttempts, allAttemptEvery)
}

// succeeded takes an attempt back: a page that reconnects may send its password again and again.
func (d *doorman) succeeded(address string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all.due = d.all.due.Add(-allAttemptEvery)
	if of := d.address[address]; of != nil {
		of.due = of.due.Add(-attemptEvery)
	}
}

// awaitLate lets an attempt wait that is beyond the bounds. It reports whether it may be compared now; done must be called
// then.
func (d *doorman) awaitLate(ctx context.Context, address string) (done func(), ok bool) {
	if !d.enterLate(address) {
		return nil, false
	}
	defer d.leaveLate(address)
	delay := time.NewTimer(lateDelay)
	defer delay.Stop()
	select {
	case <-delay.C:
	case <-ctx.Done():
		return nil, false
	}
	select {
	case d.lane <- struct{}{}:
		return func() { time.AfterFunc(lateEvery, func() { <-d.lane }) }, true
	case <-ctx.Done():
		return nil, false
	}
}

func (d *doorman) enterLate(address string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.lateAll >= maxLate || d.late[address] >= maxLateOfOne {
		return false
	}
	d.lateAll++
	d.late[address]++
	return true
}

func (d *doorman) leaveLate(address string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lateAll--
	if d.late[address]--; d.late[address] == 0 {
		delete(d.late, address)
	}
}

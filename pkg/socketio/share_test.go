package socketio

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/engineio"
)

// relay sends everything to everybody.
func relay(s *Server) {
	root := s.Of("/")
	On(root, "say", func(ctx context.Context, _ *socket.Socket, said Payload) error {
		root.BroadcastFrom(ctx, "said", said)
		return nil
	})
}

// say sends n messages of a size, as fast as the server takes them.
func (c *bubbler) say(n, size int) {
	for range n {
		if !c.write(`42["say","` + strings.Repeat("x", size) + `"]`) {
			return
		}
	}
}

// Two of twenty (eight under the race detector) that send without end do not cost the others their sessions: a client that is away for most of
// the time that is promised comes back to all that was said.
func TestHeavySendersLeaveRecoveryToOthers(t *testing.T) {
	for name, gate := range map[string]Gate{"clients": nil, "an address": neighbours{}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBubble(t, Options{
					Engine:   engineio.Options{QueueBytes: 16 << 20}, // nobody is slow here
					Recovery: Recovery{For: time.Minute, Bytes: 4 << 20},
					Limits:   Limits{BytesPerSecond: 500_000},
					Gate:     gate,
				})
				defer b.end()
				relay(b.Server)
				var people []*bubbler
				for range sharers {
					people = append(people, b.join(nil))
				}
				for i := range 2 {
					b.ended.Go(func() { people[i].say(1<<20, 20_000) })
				}
				time.Sleep(20 * time.Second) // the clock is the bubble's
				for _, p := range people[2:] {
					p.say(1, 10)
					p.conn.Close()
				}
				time.Sleep(50 * time.Second)
				for i, before := range people[2:] {
					p := b.join(before)
					if !p.recovered {
						t.Errorf("%d was not recovered: %v", i, b.RecoveryStats().Refused)
					}
					p.conn.Close()
				}
				if b.LimitStats().SlowedMessages == 0 || b.RecoveryStats().Bytes < 3<<20 {
					t.Errorf("nobody was slowed down, or nothing kept: %+v %+v", b.LimitStats(), b.RecoveryStats())
				}
				for _, p := range people[:2] {
					p.conn.Close()
				}
			})
		})
	}
}

// neighbours are all behind one address.
type neighbours struct{}

func (neighbours) Enter(string, http.Header) error            { return nil }
func (neighbours) Leave(string, http.Header)                  {}
func (neighbours) Address(string, http.Header) (uint64, bool) { return 7, true }

// As long as there is room, somebody who sends a megabyte a second is not held back.
func TestHeavySenderWithRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, Options{Recovery: Recovery{For: 10 * time.Second, Bytes: 64 << 20}})
		defer b.end()
		relay(b.Server)
		alice := b.join(nil)
		for range 20 {
			alice.say(1, 1_000_000)
			time.Sleep(time.Second)
		}
		synctest.Wait()
		if got := b.LimitStats(); got.SlowedMessages != 0 {
			t.Errorf("slowed down: %+v", got)
		}
		alice.conn.Close()
	})
}

// Somebody whose share is used up does not get it back by coming anew, if the address is known.
func TestSharesOutliveConnections(t *testing.T) {
	const span = time.Minute
	var s shares
	first := s.enter(1, 0, span)
	first.add(1000, 0, span)
	s.leave(first)
	if again := s.enter(1, span/2, span); again != first || !again.exceeds(900, span/2, span) {
		t.Error("forgotten")
	}
	s.leave(first)
	for i := range uint64(4 * minShares) {
		s.leave(s.enter(2+i, 3*span, span))
	}
	if n := len(s.list); n > 2*minShares {
		t.Errorf("%d addresses are known", n)
	}
	if s.list[1] != nil {
		t.Error("not forgotten")
	}
}

// Addresses that are over are looked for again when there are twice as many as were left the last time.
func TestSharesAreSweptNowAndThen(t *testing.T) {
	const span = time.Minute
	var s shares
	over := func(from, to uint64) {
		for key := from; key < to; key++ {
			s.leave(s.enter(key, 0, span))
		}
	}
	for key := range uint64(minShares) {
		s.enter(key, 0, span)
	}
	over(minShares, 2*minShares)
	if n := len(s.list); n != 2*minShares {
		t.Errorf("%d addresses are known, want %d", n, 2*minShares)
	}
	over(2*minShares, 2*minShares+1)
	if n := len(s.list); n != minShares+1 {
		t.Errorf("%d addresses are known, want those that have connections and the new one", n)
	}
}

// What was sent counts for Recovery.For, and then less and less.
func TestShareForgets(t *testing.T) {
	const span = time.Minute
	var s share
	s.add(1000, 0, span)
	for _, tt := range []struct {
		at   time.Duration
		want int64
	}{{0, 1000}, {span / 2, 1000}, {span, 1000}, {span * 3 / 2, 500}, {2 * span, 0}, {10 * span, 0}} {
		s.mu.Lock()
		if got := s.heldLocked(tt.at, span); got != tt.want {
			t.Errorf("after %v: %d, want %d", tt.at, got, tt.want)
		}
		s.mu.Unlock()
	}
}

// The fuller it is, the less one may have.
func TestAllowance(t *testing.T) {
	r := &recovery{cfg: Recovery{Bytes: 1 << 20}}
	for _, tt := range []struct{ used, want int64 }{
		{0, 0}, {3 << 18, 0}, {3<<18 + 1<<15, 1 << 17}, {3<<18 + 1<<16, 1 << 16}, {1 << 20, 1 << 10}, {1 << 21, 1 << 10},
	} {
		r.used.Store(tt.used)
		if got := r.allowance(); got != tt.want {
			t.Errorf("%d used: %d, want %d", tt.used, got, tt.want)
		}
	}
}

// A client that is read slowly does not hold up the end of the server.
func TestSlowedClientLeavesWithTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, Options{Limits: Limits{MessagesPerSecond: 1, MessageBurst: 1}})
		relay(b.Server)
		alice := b.join(nil)
		b.ended.Go(func() { alice.say(1000, 1) })
		synctest.Wait()
		before := time.Now()
		b.end()
		if took := time.Since(before); took > 100*time.Millisecond {
			t.Errorf("it took %v", took)
		}
		if n := b.LimitStats().SlowedMessages; n == 0 {
			t.Error(fmt.Sprint("slowed: ", n))
		}
	})
}

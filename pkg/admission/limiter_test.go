package admission

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func from(addr string) *http.Request {
	return &http.Request{RemoteAddr: addr, Header: http.Header{}}
}

// enter is a handshake and the session that follows.
func enter(l *Limiter, addr string) error {
	if err := l.Allow(from(addr)); err != nil {
		return err
	}
	return l.Enter(addr, http.Header{})
}

func TestConnectionsInAll(t *testing.T) {
	var out bytes.Buffer
	l := New(Options{Connections: 3, Logger: slog.New(slog.NewTextHandler(&out, nil))})
	for i := range 3 {
		if err := enter(l, fmt.Sprintf("192.0.2.%d:1", i)); err != nil {
			t.Fatal(err)
		}
	}
	for range 5 {
		if err := enter(l, "198.51.100.1:1"); !errors.Is(err, ErrFull) {
			t.Errorf("got %v", err)
		}
	}
	l.Leave("192.0.2.1:1", nil)
	if err := enter(l, "198.51.100.1:1"); err != nil {
		t.Error(err)
	}
	if s := l.Stats(); s.Sessions != 3 || s.RefusedConnections != 5 {
		t.Errorf("%+v", s)
	}
	if got := out.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "setting=MAX_CONNECTIONS") || !strings.Contains(got, "198.51.100.1") {
		t.Errorf("log:\n%s", got)
	}
}

func TestConnectionsOfOneAddress(t *testing.T) {
	l := New(Options{PerAddress: 2})
	for _, tt := range []struct {
		addr string
		want error
	}{
		{"192.0.2.1:1", nil}, {"192.0.2.1:2", nil}, {"192.0.2.1:3", ErrAddress},
		{"192.0.2.2:1", nil},
		{"[2001:db8::1]:1", nil}, {"[2001:db8::2]:1", nil}, {"[2001:db8::3]:1", ErrAddress}, {"[2001:db8:0:1::1]:1", nil},
		{"10.0.0.1:1", nil}, {"10.0.0.1:2", nil}, {"10.0.0.1:3", nil}, // private: a proxy, or our own
		{"127.0.0.1:1", nil}, {"127.0.0.1:2", nil}, {"127.0.0.1:3", nil},
		{"@", nil}, {"@", nil}, {"@", nil},
	} {
		if err := enter(l, tt.addr); !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
			t.Errorf("%s: got %v, want %v", tt.addr, err, tt.want)
		}
	}
	l.Leave("192.0.2.1:9", nil)
	if err := enter(l, "192.0.2.1:4"); err != nil {
		t.Error(err)
	}

	l = New(Options{PerAddress: 2, PrivateConnections: true})
	for i, want := range []error{nil, nil, ErrAddress} {
		if err := enter(l, "127.0.0.1:1"); err != nil && !errors.Is(err, want) || err == nil && want != nil {
			t.Errorf("%d: got %v, want %v", i, err, want)
		}
	}
}

// Clients behind a proxy that is trusted have their own bounds; those who only say so share one.
func TestSpoofedXForwardedForHasNoFreshBounds(t *testing.T) {
	l := New(Options{PerAddress: 1, Proxies: prefixes("10.0.0.0/8")})
	request := func(peer, claim string) error {
		r := from(peer)
		r.Header.Set(XForwardedFor, claim)
		if err := l.Allow(r); err != nil {
			return err
		}
		return l.Enter(peer, r.Header)
	}
	for i := range 3 {
		if err := request("10.0.0.1:1", fmt.Sprintf("198.51.100.%d", i)); err != nil {
			t.Errorf("client %d behind the proxy: %v", i, err)
		}
		if err := request("10.0.0.1:1", fmt.Sprintf("192.0.2.%d, 198.51.100.%d", i, i)); !errors.Is(err, ErrAddress) {
			t.Errorf("client %d behind the proxy with a claim: %v", i, err)
		}
		if err := request("203.0.113.9:1", fmt.Sprintf("192.0.2.%d", i)); (i == 0) != (err == nil) {
			t.Errorf("claim %d: %v", i, err)
		}
	}
	if got := l.Stats().ForwardedFromUntrustedPeers; got != 3 {
		t.Errorf("%d claims counted", got)
	}
}

func TestHandshakesASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Options{HandshakesPerSecond: 30, HandshakesPerSecondPerAddress: 10})
		allowed := func(addr string) (n int) {
			for range 1000 {
				if l.Allow(from(addr)) == nil {
					n++
				}
			}
			return n
		}
		if got := allowed("192.0.2.1:1"); got != 10*handshakeBurst {
			t.Errorf("at once: %d of one address", got)
		}
		time.Sleep(time.Second)
		if got := allowed("192.0.2.1:1"); got != 10 {
			t.Errorf("a second later: %d of one address", got)
		}
		if got, left := allowed("10.0.0.1:1"), 30*handshakeBurst-40+30-10; got != left {
			t.Errorf("of a private address: %d, not the %d that are left", got, left)
		}
		if err := l.Allow(from("192.0.2.2:1")); !errors.Is(err, ErrBusy) {
			t.Errorf("got %v", err)
		}
		time.Sleep(time.Hour)
		if got := allowed("192.0.2.1:1"); got != 10*handshakeBurst {
			t.Errorf("an hour later: %d of one address", got)
		}
		if s := l.Stats(); s.RefusedHandshakes == 0 || s.RefusedHandshakesAddress == 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestInternalRequestsAreNobodys(t *testing.T) {
	l := New(Options{HandshakesPerSecondPerAddress: 1, Internal: func(r *http.Request) bool { return r.Header.Get("X-Key") == "right" }})
	r := from("192.0.2.1:1")
	r.Header.Set("X-Key", "right")
	for range 100 {
		if err := l.Allow(r); err != nil {
			t.Fatal(err)
		}
	}
	if s := l.Stats(); s.Addresses != 0 {
		t.Errorf("%+v", s)
	}
}

// Addresses that are gone are forgotten, however many come.
func TestAddressesAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Options{PerAddress: 10, HandshakesPerSecondPerAddress: 10})
		for i := range 20_000 {
			if i%200 == 0 {
				time.Sleep(time.Second)
			}
			addr := fmt.Sprintf("[2001:db8:%x:%x::1]:1", i>>16, i&0xffff)
			if err := enter(l, addr); err != nil {
				t.Fatal(err)
			}
			l.Leave(addr, nil)
		}
		if got := l.Stats(); got.Addresses > 4000 || got.Sessions != 0 {
			t.Errorf("%+v", got)
		}
	})
}

// However many come at the same moment, no more than the bound get in.
func TestTheLastPlaceIsTakenOnce(t *testing.T) {
	l := New(Options{Connections: 10, PerAddress: 10})
	var in atomic.Int64
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			for range 100 {
				if enter(l, "192.0.2.1:1") != nil {
					continue
				}
				if n := in.Add(1); n > 10 {
					t.Errorf("%d are in", n)
				}
				in.Add(-1)
				l.Leave("192.0.2.1:1", nil)
			}
		})
	}
	all.Wait()
	if s := l.Stats(); s.Sessions != 0 {
		t.Errorf("%+v", s)
	}
}

// However many addresses there were, a handshake costs the same: pruning one map took 38 µs after
// 100,000 of them and 10 ms after a million.
func TestHandshakesCostTheSameAfterManyAddresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Options{PerAddress: 10, HandshakesPerSecondPerAddress: 10})
		for i := range 100_000 {
			addr := fmt.Sprintf("[2001:db8:%x:%x::1]:1", i>>16, i&0xffff)
			if err := enter(l, addr); err != nil {
				t.Fatal(err)
			}
			l.Leave(addr, nil)
		}
		time.Sleep(3 * paceLife)
		_ = l.Allow(from("192.0.2.1:1"))
		if n := len(l.paces.young) + len(l.paces.old) + len(l.sessions); n != 1 {
			t.Errorf("%d addresses are kept", n)
		}
	})
}

// A bucket is the same before and after a generation ends.
func TestPacesAcrossGenerations(t *testing.T) {
	var p paces
	var want pace
	now := time.Duration(0)
	for i := range 10_000 {
		now += time.Duration(i%700) * time.Millisecond / 10
		bucket := p.get(1, now)
		took, wanted := bucket.take(10, now), want.take(10, now)
		if took != wanted {
			t.Fatalf("at %s: took %v, want %v", now, took, wanted)
		}
		p.set(1, bucket)
		p.set(key(i+2), bucket)
	}
	if n := p.len(now); n > 5000 {
		t.Errorf("%d buckets are kept", n)
	}
}

// The cost of a handshake when many addresses have come and gone.
func BenchmarkAllowAfterManyAddresses(b *testing.B) {
	for _, n := range []int{0, 100_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			l := New(Options{PerAddress: 1000, HandshakesPerSecondPerAddress: 1e6})
			for i := range n {
				_ = l.Allow(from(fmt.Sprintf("[2001:db8:%x:%x::1]:1", i>>16, i&0xffff)))
			}
			r := from("192.0.2.1:1")
			for b.Loop() {
				_ = l.Allow(r)
			}
		})
	}
}

func BenchmarkAllow(b *testing.B) {
	l := New(Options{Connections: 1 << 30, PerAddress: 1 << 30, HandshakesPerSecond: 1e9, HandshakesPerSecondPerAddress: 1e9})
	r := from("192.0.2.1:1")
	b.ReportAllocs()
	for b.Loop() {
		_ = l.Allow(r)
	}
}

// What is shared among addresses is told by the client's, not the proxy's; where many may be behind one, by none.
func TestAddress(t *testing.T) {
	forwarded := http.Header{"X-Forwarded-For": {"203.0.113.7"}}
	for _, tt := range []struct {
		remote  string
		header  http.Header
		private bool
		same    string // another remote with the same address
		ok      bool
	}{
		{"203.0.113.7:1", nil, false, "203.0.113.7:2", true},
		{"[2001:db8::1]:1", nil, false, "[2001:db8::2]:1", true},
		{"10.0.0.1:1", forwarded, false, "203.0.113.7:2", true},
		{"192.168.0.1:1", nil, false, "", false},
		{"192.168.0.1:1", nil, true, "192.168.0.1:2", true},
		{"@", nil, true, "", false},
	} {
		l := New(Options{Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, PrivateConnections: tt.private})
		key, ok := l.Address(tt.remote, tt.header)
		other, _ := l.Address(tt.same, nil)
		if ok != tt.ok || ok && key != other {
			t.Errorf("%s: %d, %v; %s: %d", tt.remote, key, ok, tt.same, other)
		}
	}
}

package engineio

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"
)

// Whatever is done to their deadlines, sessions are looked at when those are over: not
// before, and a tick later at the most, also beyond one turn of the wheel.
func TestDeadlines(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 1))
			srv := NewServer(Options{OnConnect: func(*Conn) Receiver { return nobody{} }, NoIOUring: true})
			d := srv.deadlines
			conns := make([]*Conn, 50)
			due := make([]time.Duration, len(conns))
			for i := range conns {
				conns[i] = &Conn{server: srv, sender: sender{protocol: 4}, handshake: &Handshake{Time: time.Now()}}
			}
			set := func(i int) {
				c := conns[i]
				c.mu.Lock()
				defer c.mu.Unlock()
				c.beat.awaitingPong = false
				due[i] = d.now() + time.Duration(rnd.IntN(120_000))*time.Millisecond
				d.set(c, due[i])
			}
			for i := range conns {
				set(i)
			}
			for range 400 {
				time.Sleep(time.Duration(rnd.IntN(1000)) * time.Millisecond)
				synctest.Wait()
				for i, c := range conns {
					c.mu.Lock()
					pinged := c.beat.awaitingPong
					c.mu.Unlock()
					late := d.now() - due[i]
					if pinged && late < 0 || !pinged && late > d.tick {
						t.Fatalf("seed %d: session %d, pinged: %v, at %v after its deadline", seed, i, pinged, late)
					}
					if pinged || rnd.IntN(10) == 0 {
						set(i)
					}
				}
			}
			for _, c := range conns {
				c.mu.Lock()
				d.drop(c)
				c.mu.Unlock()
			}
			if d.n != 0 {
				t.Errorf("%d sessions are left in the wheel", d.n)
			}
			d.close()
			_ = srv.Close(t.Context())
		})
	}
}

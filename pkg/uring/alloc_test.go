//go:build linux && !race

package uring

import "testing"

func TestSendAllocations(t *testing.T) {
	openRing(t)
	pool, err := Open(1)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	p := newPipe(t)
	sends := []Send{{FD: int32(p.fd), Data: []byte("x")}}
	if got := testing.AllocsPerRun(100, func() { pool.Send(sends) }); got > 0 {
		t.Errorf("a send that goes through: %v allocations", got)
	}
}

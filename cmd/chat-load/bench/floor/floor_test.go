//go:build linux

package floor

import (
	"context"
	"net"
	"testing"
	"time"

	"socketio-chat/pkg/load/run"
	"socketio-chat/pkg/uring"
)

// start serves until the test ends.
func start(t testing.TB, notice bool, pool *uring.Pool) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- New(notice, pool).Serve(ctx, ln) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return "http://" + ln.Addr().String()
}

// The lower bound is one only if it does the same work: everything to everybody, in order.
func TestKeepsTheContract(t *testing.T) {
	for _, notice := range []bool{false, true} {
		keepsTheContract(t, notice, nil, 300)
	}
}

func TestKeepsTheContractInBatches(t *testing.T) {
	pool, err := uring.Open(1)
	if err != nil {
		t.Skip("io_uring cannot be used here:", err)
	}
	defer pool.Close()
	keepsTheContract(t, true, pool, 300)
	keepsTheContract(t, true, pool, 100_000) // more than sockets take at once
	if err := pool.Err(); err != nil {
		t.Error("the pool went out of use:", err)
	}
	off, err := uring.Open(1)
	if err != nil {
		t.Fatal(err)
	}
	off.Close() // takes nothing: every delivery is a write
	keepsTheContract(t, true, off, 300)
}

func keepsTheContract(t *testing.T, notice bool, pool *uring.Pool, size int) {
	t.Helper()
	r, err := run.Run(context.Background(), run.Config{
		Servers: []string{start(t, notice, pool)}, Clients: 20, Senders: 5, InFlight: 3, Size: size, Transport: "websocket", Protocol: 4,
		Connecting: 1, AwaitJoins: notice, Duration: 200 * time.Millisecond, Drain: 10 * time.Second,
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !r.Counts.Faultless() || r.Counts.Sent == 0 {
		t.Errorf("notices %v: %+v", notice, r.Counts)
	}
	if want := map[bool]uint64{false: 0, true: 210}[notice]; r.Connect.Notices < want || !notice && r.Connect.Notices > 0 || r.Connect.Missed > 0 {
		t.Errorf("notices %v: %+v", notice, r.Connect)
	}
}

//go:build linux

package floor

import (
	"context"
	"net"
	"testing"
	"time"

	"socketio-chat/pkg/load/run"
)

// start serves until the test ends.
func start(t testing.TB, notice bool) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- New(notice).Serve(ctx, ln) }()
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
		r, err := run.Run(context.Background(), run.Config{
			Servers: []string{start(t, notice)}, Clients: 20, Senders: 5, InFlight: 3, Size: 300, Transport: "websocket", Protocol: 4,
			Connecting: 1, AwaitJoins: notice, Duration: 200 * time.Millisecond, Drain: 2 * time.Second,
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
}

//go:build linux

package engineio

import (
	"sync/atomic"
	"syscall"
	"testing"
)

// When waiting for the sockets fails, nobody who waits is forgotten: WebSockets go on,
// connections of the front that rest are closed, polls are answered, and newcomers are
// served.
func TestPollerThatFails(t *testing.T) {
	srv := newTestServer(Options{})
	var broken atomic.Bool
	srv.poller.Inject(func() error {
		if broken.Load() {
			return syscall.EBADF
		}
		return nil
	})
	srv.listenPlain(t, true)
	var sockets []*wsClient
	for range 10 {
		sockets = append(sockets, dialWebSocket(t, srv, 4))
		srv.accept(t).echo()
	}
	bob := dialPolling(t, srv, 4)
	bobHere := srv.accept(t)
	poll := bob.startPoll()
	bobHere.wantPolling(t)
	resting := dialRaw(t, srv)
	defer resting.Close()
	eventually(t, "all wait", func() bool { return srv.poller.Parked() == 10 && len(srv.fronts[0].fresh.all()) == 1 })

	broken.Store(true)
	for _, ws := range sockets {
		ws.sendText(t, "4still here")
		ws.wantText(t, "4still here")
	}
	if n, err := resting.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Errorf("a connection that rested: %d bytes, %v", n, err)
	}
	bobHere.sendText("for the poll")
	if res := await(t, poll); res.body != "4for the poll" {
		t.Errorf("the poll got %d %q", res.status, res.body)
	}
	carol := dialPolling(t, srv, 4)
	carolHere := srv.accept(t)
	carol.post(t, "4hello")
	carolHere.want(t, "hello")
	dialWebSocket(t, srv, 4).sendText(t, "4me too")
	srv.accept(t).want(t, "me too")
}

package engineio

import "testing"

func TestReleasePoll(t *testing.T) {
	srv := serve(t, Options{})
	c := dialPolling(t, srv, 4)
	p := srv.accept(t)
	if srv.ReleasePoll(c.sid) || srv.ReleasePoll("nobody") {
		t.Error("a poll was released that is not there")
	}
	polled := make(chan response)
	go func() { polled <- c.do("GET", "", nil) }()
	eventually(t, "the poll waits", p.Writable)
	if !srv.ReleasePoll(c.sid) {
		t.Error("the poll was not released")
	}
	if res := <-polled; res.body != "6" {
		t.Errorf("got %v", res)
	}
	// The session goes on.
	go func() { polled <- c.do("GET", "", nil) }()
	eventually(t, "the next poll waits", p.Writable)
	p.Send(NewTextFrame([]byte("x")))
	if res := <-polled; res.body != "4x" {
		t.Errorf("got %v", res)
	}
}

func TestLeaveSession(t *testing.T) {
	srv := serve(t, Options{})
	c := dialWebSocket(t, srv, 4)
	p := srv.accept(t)
	if srv.LeaveSession("nobody") || !srv.LeaveSession(sid(c.open)) || srv.LeaveSession(sid(c.open)) {
		t.Error("who left?")
	}
	c.wantCut(t)
	c.cut()
	if e := <-p.ended; e.reason != ServerShutdown {
		t.Errorf("ended with %v", e)
	}
}

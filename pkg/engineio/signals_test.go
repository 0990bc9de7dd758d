package engineio

import "testing"

// closedNow tells whether a channel is closed.
func closedNow(ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}

func TestDrainedByPolling(t *testing.T) {
	srv := serve(t, Options{})
	bob := dialPolling(t, srv, 4)
	server := srv.accept(t)
	eventually(t, "the open packet is counted off", func() bool { return closedNow(server.Drained()) })
	server.sendText("one")
	drained := server.Drained()
	if closedNow(drained) {
		t.Error("a packet waits for a poll, and Drained says that nothing does")
	}
	bob.wantPoll(t, "4one")
	<-drained
	if !closedNow(server.Drained()) {
		t.Error("the packet has left, and Drained says that it has not")
	}
}

func TestDrainedEndsWithTheConnection(t *testing.T) {
	srv := serve(t, Options{})
	dialPolling(t, srv, 4)
	server := srv.accept(t)
	server.sendText("never polled")
	drained := server.Drained()
	server.Discard()
	<-drained
	if !closedNow(server.Drained()) {
		t.Error("the connection is gone, and Drained does not say so")
	}
}

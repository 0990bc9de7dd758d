package socketio_test

import (
	"errors"
	"testing"

	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/socketio"
	"socketio-chat/pkg/socketio/sockettest"
)

// stall emits more than the client takes while its test does not look; catchUp lets it take all of that.
func stall(t *testing.T, s *socket.Socket) (n int) {
	t.Helper()
	for ; socketio.Writable(s) || n < 3000; n++ {
		if err := s.Emit("fill", n); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

func catchUp(t *testing.T, c *sockettest.Client, n int) {
	t.Helper()
	for range n {
		c.Expect("fill")
	}
}

func TestFeedKeepsTheLatest(t *testing.T) {
	io := newServer(t)
	c, s := joined(t, io, io.Of("/"))
	feed := socketio.NewFeed(s, socketio.FeedOptions{})
	if err := feed.Emit("a", "price", 0); err != nil { // the client is ready: it leaves at once
		t.Fatal(err)
	}
	c.Expect("price")

	n := stall(t, s)
	for price := range 1000 {
		for _, key := range []string{"a", "b"} {
			if err := feed.Emit(key, "price", key, price); err != nil {
				t.Fatal(err)
			}
		}
	}
	catchUp(t, c, n)
	for _, want := range []string{"a", "b"} {
		var key string
		var price int
		c.Expect("price", &key, &price)
		if key != want || price != 999 {
			t.Errorf("got %s %d, want %s 999", key, price, want)
		}
	}
	if feed.Dropped() != 0 {
		t.Errorf("%d dropped", feed.Dropped())
	}
	<-socketio.Drained(s)
	if err := feed.Emit("a", "end"); err != nil {
		t.Fatal(err)
	}
	c.Expect("end")
}

func TestFeedDropsTheOldest(t *testing.T) {
	io := newServer(t)
	c, s := joined(t, io, io.Of("/"))
	told := 0
	feed := socketio.NewFeed(s, socketio.FeedOptions{Limit: 3, Dropped: func(string) { told++ }})
	n := stall(t, s)
	for i := range 10 {
		if err := feed.Emit("", "trade", i); err != nil {
			t.Fatal(err)
		}
	}
	catchUp(t, c, n)
	for _, want := range []int{7, 8, 9} {
		var got int
		c.Expect("trade", &got)
		if got != want {
			t.Errorf("got trade %d, want %d", got, want)
		}
	}
	if feed.Dropped() != 7 || told != 7 {
		t.Errorf("%d dropped, told of %d; want 7", feed.Dropped(), told)
	}
}

func TestFeedEndsWithItsClient(t *testing.T) {
	io := newServer(t)
	c, s := joined(t, io, io.Of("/"))
	feed := socketio.NewFeed(s, socketio.FeedOptions{})
	stall(t, s)
	if err := feed.Emit("a", "price", 1); err != nil {
		t.Fatal(err)
	}
	s.Disconnect(true)
	if err := feed.Emit("a", "price", 2); !errors.Is(err, socketio.ErrDisconnected) {
		t.Errorf("got %v", err)
	}
	if err := feed.Emit("a", "connect"); err == nil {
		t.Error("a reserved name is no error")
	}
	c.Cut()
	<-socketio.Drained(s) // closed for a connection that is gone, too
}

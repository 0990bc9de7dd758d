package hub

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// What a connection has written and not got rid of when it is closed never arrives: a Redis that stood still would take it after what the next
// connection says.
func TestClosedConnectionSendsNothingMore(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client := redis.NewClient(&redis.Options{Addr: l.Addr().String()})
	defer client.Close()
	h := newTestHub(PubSub)
	h.redis.Client = client
	link, err := h.dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	redisEnd, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer redisEnd.Close()
	_ = link.conn.SetWriteDeadline(time.Now().Add(200 * time.Millisecond)) // until nothing goes any more
	for chunk := make([]byte, 1<<20); err == nil; {
		_, err = link.conn.Write(chunk)
	}
	if err := link.Close(); err != nil {
		t.Fatal(err)
	}
	arrived, err := io.Copy(io.Discard, redisEnd)
	if written := link.conn.written.Load(); err == nil || arrived >= written {
		t.Errorf("%d of %d bytes arrived, ending with %v", arrived, written, err)
	}
}

package forward

import (
	"bytes"
	"fmt"
	"net"
	"testing"
	"time"

	"socketio-chat/pkg/engineio"
)

// A client that does not read an answer that is passed on to it loses its session, and
// pins neither instance.
func TestUnreadAnswerThroughAnotherInstance(t *testing.T) {
	list := cluster(t, 2, Options{Stall: 200 * time.Millisecond}, engineio.Options{QueueBytes: 128 << 20, WriteTimeout: 2 * time.Second})
	owner, front := list[0], list[1]
	sid := owner.open(t, "EIO=4")
	v := owner.accept(t)
	v.Send(engineio.NewTextFrame(bytes.Repeat([]byte("x"), 64<<20))) // more than all socket buffers on the way
	nc, err := net.Dial("tcp", front.http.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	fmt.Fprintf(nc, "GET /?transport=polling&EIO=4&sid=%s HTTP/1.1\r\nHost: x\r\n\r\n", sid)
	select {
	case <-v.Done():
	case <-time.After(patience):
		t.Fatal("the session goes on")
	}
	eventually(t, "the front has given up", func() bool { return len(front.polling()) == 0 })
}

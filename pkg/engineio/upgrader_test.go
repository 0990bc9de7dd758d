package engineio

import (
	"fmt"
	"testing"

	"github.com/gorilla/websocket"

	"socketio-chat/pkg/engineio/internal/packet"
	"socketio-chat/pkg/engineio/internal/payload"
)

// An upgrader is a client that sends and receives all the time and changes from
// polling to WebSocket meanwhile, the way the npm client does: it probes; then
// it lets its poll and its POST end and starts no other; then it switches.
type upgrader struct {
	*pollClient
	v       int
	startAt int // number of messages sent before the probe

	pause chan struct{} // closed once the probe is answered
}

// run sends c0 … c<n-1> and returns the messages that came, n at most.
func (c *upgrader) run(t *testing.T, s *testServer, n int) (got []string) {
	c.pause = make(chan struct{})
	polled := make(chan []string)
	go func() { polled <- c.pollUntilPaused(t) }()
	posted := make(chan int)
	started := make(chan struct{})
	go func() { posted <- c.postUntilPaused(t, n, started) }()

	<-started
	ws := c.startUpgrade(t, s)
	ws.probe(t)
	close(c.pause)
	got = <-polled
	sent := <-posted
	ws.sendText(t, "5")
	go func() {
		for i := sent; i < n; i++ {
			if err := ws.tryWrite(text(fmt.Sprint("4c", i))); err != nil {
				t.Errorf("send over the WebSocket: %v", err)
			}
		}
	}()
	for len(got) < n {
		typ, data, err := ws.tryRead()
		if err != nil || typ != websocket.TextMessage {
			t.Fatalf("after %d messages, %d of them by polling: %v", len(got), sent, err)
		}
		got = append(got, string(data[1:]))
	}
	return got
}

func (c *upgrader) paused() bool {
	select {
	case <-c.pause:
		return true
	default:
		return false
	}
}

func (c *upgrader) pollUntilPaused(t *testing.T) (got []string) {
	for !c.paused() {
		res := c.do("GET", "", nil)
		decode := payload.DecodeV4
		if c.v == 3 {
			decode = payload.DecodeV3
		}
		ps, err := decode([]byte(res.body))
		if res.err != nil || res.status != 200 || err != nil {
			t.Errorf("poll: %v, %v", res, err)
			return got
		}
		for _, p := range ps {
			switch p.Type {
			case packet.Message:
				got = append(got, string(p.Data))
			case packet.Noop:
			default:
				t.Errorf("polled %+v", p)
			}
		}
	}
	return got
}

// postUntilPaused returns how many messages it has sent.
func (c *upgrader) postUntilPaused(t *testing.T, n int, started chan<- struct{}) int {
	for i := range n {
		if i == min(c.startAt, n-1) {
			close(started)
		}
		if c.paused() {
			return i
		}
		body := fmt.Sprint("4c", i)
		if c.v == 3 {
			body = fmt.Sprintf("%d:%s", len(body), body)
		}
		if res := c.tryPost(body); res.body != "ok" {
			t.Errorf("post: %v", res)
		}
	}
	return n
}

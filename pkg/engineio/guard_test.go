package engineio

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"socketio-chat/pkg/logs/logtest"
)

// A panic in a callback ends its own session, whatever transport it came by, and no
// other.
func TestPanicEndsItsSessionAlone(t *testing.T) {
	for _, front := range []bool{true, false} {
		for _, in := range []string{"OnConnect", "Receive", "Closed"} {
			for _, transport := range []string{Polling, WebSocket} {
				t.Run(fmt.Sprintf("%s by %s, front %v", in, transport, front), func(t *testing.T) {
					testPanic(t, in, transport, front)
				})
			}
		}
	}
}

func testPanic(t *testing.T, in, transport string, front bool) {
	var log logtest.Buffer
	srv := newTestServer(Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	onConnect := srv.opts.OnConnect
	var mine sync.Once
	srv.opts.OnConnect = func(c *Conn) Receiver {
		r := onConnect(c)
		mine.Do(func() {
			if in == "OnConnect" {
				panic("in " + in)
			}
			r = panicking{r.(*peer), in}
		})
		return r
	}
	srv.listenPlain(t, front)

	if transport == Polling {
		res := request(newHTTPClient(t), "GET", srv.url("http", "EIO=4&transport=polling"), "", nil)
		if in != "OnConnect" {
			request(newHTTPClient(t), "POST", srv.url("http", "EIO=4&transport=polling&sid="+sid(res.body)), "text/plain", strings.NewReader("4x"))
		}
	} else {
		mallory := dialPlain(t, srv, "EIO=4&transport=websocket")
		_ = mallory.tryWrite(text("4x"))
	}
	here := srv.accept(t)
	if in == "Closed" {
		here.want(t, "x")
		here.Discard()
	}
	<-here.Done()
	eventually(t, "the panic is logged", func() bool { return strings.Contains(log.String(), "in "+in) })
	eventually(t, "one session is counted as ended by force", func() bool { return srv.Stats().Closed(ForcedClose) == 1 })

	alice := dialPolling(t, srv, 4)
	aliceHere := srv.accept(t)
	alice.post(t, "4still here")
	aliceHere.want(t, "still here")
	srv.wantLen(t, 1)
}

// A panicking is a peer one of whose methods panics.
type panicking struct {
	*peer
	in string
}

func (p panicking) Receive(data []byte, binary bool) {
	if p.in == "Receive" {
		panic("in Receive")
	}
	p.peer.Receive(bytes.Clone(data), binary)
}

func (p panicking) Closed(reason CloseReason, err error) {
	if p.in == "Closed" {
		panic("in Closed")
	}
	p.peer.Closed(reason, err)
}

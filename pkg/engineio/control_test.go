package engineio

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws"

	"socketio-chat/pkg/engineio/internal/wsframe"
)

// Whatever carries no message ends its sender, and nobody else, when there is too much of it.
func TestControlFramesAreBounded(t *testing.T) {
	const perSecond, burst = 10, 100 // of which some come back while the test runs
	srv := serve(t, Options{ControlFrames: perSecond})
	alice := newBystander(t, srv)
	for _, tt := range []struct {
		name     string
		protocol int
		begin    []byte // before them
		frame    []byte
	}{
		{"WebSocket pings", 4, nil, masked(0x89, []byte("hello"))},
		{"WebSocket pongs", 4, nil, masked(0x8a, nil)},
		{"fragments of nothing", 4, masked(0x01, []byte("4x")), masked(0x00, nil)},
		{"fragments of a byte", 4, masked(0x01, []byte("4x")), masked(0x00, []byte("x"))},
		{"pongs of protocol 4", 4, nil, text("3")},
		{"pings of protocol 3", 3, nil, text("2")},
		{"upgrade packets", 4, nil, text("5")},
		{"noop packets", 4, nil, text("6")},
		{"open packets", 4, nil, text("0")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := srv.Stats().ControlFrames()
			mallory := dialWebSocket(t, srv, tt.protocol)
			server := srv.accept(t)
			mallory.write(t, join(tt.begin, bytes.Repeat(tt.frame, burst-bytes.Count(tt.begin, mask[:]))))
			if tt.begin == nil {
				mallory.sendText(t, "4still here")
				server.want(t, "still here")
			}
			if !server.Open() {
				t.Fatalf("closed after %d", burst)
			}
			for server.Open() && mallory.tryWrite(tt.frame) == nil {
			}
			for {
				_, data, err := mallory.tryRead()
				if err == nil && tt.protocol == 3 && string(data) == "3" {
					continue // an answer
				}
				if err == nil || !strings.Contains(err.Error(), "1008") || !strings.Contains(err.Error(), "too many control frames") {
					t.Errorf("got %q, %v", data, err)
				}
				break
			}
			mallory.answerClose()
			server.wantClosed(t, TransportError)
			if got := srv.Stats().ControlFrames() - before; got != 1 {
				t.Errorf("counted %d times", got)
			}
		})
	}
	alice.wantUndisturbed(t)
}

// The same in the body of a POST: what came before is received.
func TestControlPacketsOfPollingAreBounded(t *testing.T) {
	for protocol, body := range map[int]string{
		4: "4hello\x1e" + strings.Repeat("6\x1e", 200) + "4never",
		3: "6:4hello" + strings.Repeat("1:2", 200) + "6:4never",
	} {
		srv := serve(t, Options{ControlFrames: 10})
		alice := newBystander(t, srv)
		mallory := dialPolling(t, srv, protocol)
		server := srv.accept(t)
		mallory.post(t, body)
		server.want(t, "hello")
		server.wantClosed(t, TransportError)
		mallory.wantGone(t)
		alice.wantUndisturbed(t)
	}
}

// An upgrade that is nothing but probes and pings ends; the session goes on polling.
func TestControlFramesOfAProbeAreBounded(t *testing.T) {
	for name, frame := range map[string][]byte{"probes": text("2probe"), "pings": masked(0x89, []byte("x"))} {
		t.Run(name, func(t *testing.T) {
			srv := serve(t, Options{ControlFrames: 10})
			bob := dialPolling(t, srv, 4)
			server := srv.accept(t)
			probe := dialPlain(t, srv, "EIO=4&transport=websocket&sid="+bob.sid)
			for probe.tryWrite(bytes.Repeat(frame, 50)) == nil && srv.Stats().ControlFrames() == 0 {
			}
			for err := error(nil); ; {
				if _, _, err = probe.tryRead(); err == nil {
					continue
				}
				if !strings.Contains(err.Error(), "1008") {
					t.Error(err)
				}
				break
			}
			probe.answerClose()
			bob.post(t, "4still here")
			server.want(t, "still here")
		})
	}
}

// What a client does not send it may send later, for ten seconds' worth.
func TestControlFramesComeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Server{opts: Options{ControlFrames: 100}}
		c := &Conn{server: s, handshake: &Handshake{Time: time.Now(), Header: http.Header{}}}
		spend := func(want int) {
			t.Helper()
			n := 0
			for c.mayControl() {
				n++
			}
			if n != want {
				t.Errorf("%d, want %d", n, want)
			}
		}
		spend(1000)
		time.Sleep(time.Second)
		spend(100)
		time.Sleep(time.Minute)
		spend(1000)
		time.Sleep(100 * time.Minute) // the clock has started again
		spend(1000)
		s.opts.ControlFrames = -1
		for range 5000 {
			if !c.mayControl() {
				t.Fatal("refused without a bound")
			}
		}
	})
}

// A pong is made for one client: that client's queue is charged for all that it takes.
func TestPongsAreCharged(t *testing.T) {
	pong := &Frame{wire: append(wsframe.AppendHeader(nil, ws.OpPong, 4), "ping"...), own: pongCost}
	if got := pong.size() + frameCost; got < 70 {
		t.Errorf("charged %d bytes", got)
	}
}

// A client that sends one message after another is cut, too, once its session is over.
func TestFloodAfterTheEnd(t *testing.T) {
	for name, end := range map[string]func(*peer){
		"discarded": func(here *peer) { here.Discard() },
		"too slow":  func(here *peer) { here.shutdown(SlowClient, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			srv := serve(t, Options{})
			mallory := dialWebSocket(t, srv, 4)
			here := srv.accept(t)
			flood := bytes.Repeat(text("4x"), 20000)
			mallory.write(t, flood)
			end(here)
			for sent := 0; mallory.tryWrite(flood) == nil; sent += len(flood) {
				if sent > 4*lingerBytes {
					t.Fatal("it goes on")
				}
			}
		})
	}
}

// A peer that floods on after the close frame is read for a while, so that it may read why, with pauses in which
// others have their turn; then it is cut. One that has little more to say is not held up.
func TestLingerIsBounded(t *testing.T) {
	for name, chunk := range map[string][]byte{
		"frames":                bytes.Repeat(masked(0x8a, nil), 1000),
		"a message without end": make([]byte, 64<<10),
	} {
		timed(t, name, Options{}, func(t *testing.T, _ *testServer, c clock) {
			read := 0
			feed := &feedConn{next: func() []byte { // never ends
				if read < lingerAtOnce-readBuffer && c.now() > 0 {
					t.Errorf("a pause after %d bytes", read)
				}
				read += len(chunk)
				return chunk
			}}
			r := newWSReader(transportOf(feed), 1000, nil)
			if name != "frames" {
				r.unread = 1 << 40
			}
			r.linger() // returns
			if read < lingerBytes/2 || read > lingerBytes+2*len(chunk) {
				t.Errorf("read %d bytes", read)
			}
			if c.now() < 2*s || c.now() > closeLinger {
				t.Errorf("it took %v", c.now())
			}
		})
	}
}

//go:build linux

package engineio

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"
)

// wantParked waits until the connection's reader has no goroutine.
func (p *peer) wantParked(t testing.TB) {
	t.Helper()
	eventually(t, "a parked reader", func() bool { return p.transport().parking.Parked() })
}

func (p *peer) transport() *wsTransport {
	p.Conn.mu.Lock()
	defer p.Conn.mu.Unlock()
	return p.sender.ws
}

// A parked connection notices everything that one with a goroutine does.
func TestParked(t *testing.T) {
	srv := serve(t, Options{})
	for _, tt := range []struct {
		name string
		do   func(t *testing.T, alice *wsClient, server *peer)
	}{
		{"a message", func(t *testing.T, alice *wsClient, server *peer) {
			alice.sendText(t, "4one")
			server.want(t, "one")
			server.wantParked(t)
			server.sendText("two") // writing needs no reader
			alice.wantText(t, "4two")
			server.wantParked(t)
		}},
		{"many messages", func(t *testing.T, alice *wsClient, server *peer) {
			alice.write(t, bytes.Repeat(text("4"+string(make([]byte, 1000))), 100))
			for range 100 {
				server.want(t, message(make([]byte, 1000)))
			}
			server.wantParked(t)
		}},
		{"a message of as many bytes as the buffer has", func(t *testing.T, alice *wsClient, server *peer) {
			for _, n := range []int{readBuffer - 1, readBuffer, readBuffer + 1, 2 * readBuffer} {
				data := make([]byte, n-8) // 8: header and mask
				alice.sendBinary(t, data)
				server.want(t, message(fmt.Sprintf("binary %x", data)))
				server.wantParked(t)
			}
		}},
		{"half a message, then the other", func(t *testing.T, alice *wsClient, server *peer) {
			frame := text("4whole")
			alice.write(t, frame[:7])
			eventually(t, "the reader runs", func() bool { return !server.transport().parking.Parked() })
			alice.write(t, frame[7:])
			server.want(t, "whole")
			server.wantParked(t)
		}},
		{"a fragment, then another", func(t *testing.T, alice *wsClient, server *peer) {
			alice.write(t, masked(0x01, []byte("4who")))
			eventually(t, "the reader runs", func() bool { return !server.transport().parking.Parked() })
			alice.write(t, masked(0x80, []byte("le")))
			server.want(t, "whole")
			server.wantParked(t)
		}},
		{"a ping", func(t *testing.T, alice *wsClient, server *peer) {
			pong := make(chan string, 1)
			alice.ws.SetPongHandler(func(data string) error { pong <- data; return nil })
			alice.write(t, masked(0x89, []byte("ping")))
			alice.sendText(t, "4x") // behind it, and so is the answer
			server.want(t, "x")
			server.sendText("y")
			alice.wantText(t, "4y")
			if p := <-pong; p != "ping" {
				t.Error(p)
			}
		}},
		{"a close frame", func(t *testing.T, alice *wsClient, server *peer) {
			alice.write(t, masked(0x88, []byte("\x03\xe8")))
			alice.wantCloseFrame(t, 1000, "")
			alice.wantEOF(t)
			server.wantClosed(t, TransportClose)
		}},
		{"a message and the end", func(t *testing.T, alice *wsClient, server *peer) {
			alice.write(t, text("4bye"))
			alice.cut()
			server.want(t, "bye")
			server.wantClosed(t, TransportClose)
		}},
		{"the end", func(t *testing.T, alice *wsClient, server *peer) {
			alice.cut()
			server.wantClosed(t, TransportClose)
		}},
		{"a reset", func(t *testing.T, alice *wsClient, server *peer) {
			_ = alice.tcp().SetLinger(0)
			alice.cut()
			server.wantClosed(t, TransportClose)
		}},
		{"the client's half of the end", func(t *testing.T, alice *wsClient, server *peer) {
			_ = alice.tcp().CloseWrite()
			alice.wantCloseFrame(t, 1005, "")
			server.wantClosed(t, TransportClose)
		}},
		{"Close", func(t *testing.T, alice *wsClient, server *peer) {
			tr := server.transport()
			server.Close()
			alice.wantCloseFrame(t, 1005, "")
			eventually(t, "the reader waits for the answer, which may never come", func() bool { return !tr.parking.Parked() })
			alice.answerClose()
			alice.wantEOF(t)
			server.wantClosed(t, ForcedClose)
		}},
		{"Discard, and the client sends on", func(t *testing.T, alice *wsClient, server *peer) {
			server.Discard()
			alice.sendText(t, "4too late")
			alice.wantClose(t, 1005, "")
			server.wantClosed(t, ForcedClose)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			alice := dialWebSocket(t, srv, 4)
			server := srv.accept(t)
			server.wantParked(t)
			tt.do(t, alice, server)
			alice.cut()
			eventually(t, "the poller forgets", func() bool { return srv.poller.Registered() == 0 })
		})
	}
}

// A heartbeat that comes by itself keeps nobody but a glance; whatever else comes is for the reader, and
// nothing is left behind or taken twice, however it is cut.
func TestHeartbeatsAreGlancedAt(t *testing.T) {
	for _, tt := range []struct {
		name     string
		protocol int
		bytes    []byte
		alone    bool
	}{
		{"a pong", 4, text("3"), true},
		{"a ping of protocol 3", 3, text("2"), true},
		{"the wrong way round", 4, text("2"), true}, // and an error, as for the reader
		{"a part of one", 4, text("3")[:5], false},
		{"two", 4, join(text("3"), text("3")), false},
		{"a message behind it", 4, join(text("3"), text("4x")), false},
		{"with data", 4, text("3x"), false},
		{"binary", 4, masked(0x82, []byte("3")), false},
		{"the beginning of a message", 4, masked(0x01, []byte("3")), false},
		{"the end of a message", 4, masked(0x80, []byte("3")), false},
		{"a reserved bit", 4, masked(0xc1, []byte("3")), false},
		{"without a mask", 4, []byte("\x81\x013"), false},
		{"another packet", 4, text("6"), false},
		{"a ping of WebSocket", 4, masked(0x89, []byte("2")), false},
		{"nothing", 4, nil, false},
	} {
		r := &wsReader{buf: tt.bytes, end: len(tt.bytes)}
		if r.heartbeat() != tt.alone {
			t.Errorf("%s: %v", tt.name, !tt.alone)
		}
	}
	srv := serve(t, Options{})
	for protocol, beat := range map[int]string{4: "3", 3: "2"} {
		alice := dialWebSocket(t, srv, protocol)
		server := srv.accept(t)
		for range 20 {
			server.wantParked(t)
			alice.sendText(t, beat)
			if protocol == 3 {
				alice.wantText(t, "3")
			}
		}
		alice.sendText(t, "4x")
		server.want(t, "x")
		server.wantParked(t)
		alice.sendText(t, map[int]string{4: "2", 3: "3"}[protocol])
		if err := server.wantClosed(t, TransportError); err != errHeartbeatWay {
			t.Errorf("protocol %d: %v", protocol, err)
		}
		alice.wantClose(t, 1005, "")
	}
}

// Idle connections have no goroutine, before their first message and after.
func TestParkedGoroutines(t *testing.T) {
	const n = 60
	srv := serve(t, Options{})
	first := dialWebSocket(t, srv, 4)
	srv.accept(t).wantParked(t)
	first.sendText(t, "4x") // started what stays for good
	before := runtime.NumGoroutine()
	clients, servers := make([]*wsClient, n), make([]*peer, n)
	for i := range n {
		clients[i] = dialWebSocket(t, srv, 4)
		servers[i] = srv.accept(t)
	}
	for range 3 {
		for i := range n {
			servers[i].wantParked(t)
		}
		eventually(t, fmt.Sprintf("%d goroutines as without %d connections", before, n), func() bool { return runtime.NumGoroutine() <= before })
		for i := range n {
			clients[i].sendText(t, "4hello")
		}
		for i := range n {
			servers[i].want(t, "hello")
		}
	}
}

// Messages that come at any moment of the parking are all received, in order.
func TestParkingLosesNothing(t *testing.T) {
	const n = 400
	srv := serve(t, Options{})
	var all sync.WaitGroup
	for range 4 {
		alice := dialWebSocket(t, srv, 4)
		server := srv.accept(t)
		got := make(chan struct{})
		server.answerWith(func(message) { got <- struct{}{} })
		all.Go(func() {
			for i := range n {
				frame := text(numbered("", i))
				cut := i % (len(frame) + 1)
				if alice.tryWrite(frame[:cut]) != nil || alice.tryWrite(frame[cut:]) != nil {
					t.Error("cannot write")
				}
				<-got // the reader is about to park now
				for range i % 50 {
					runtime.Gosched()
				}
			}
		})
		defer func() {
			for i := range n {
				server.want(t, message(fmt.Sprint(i)))
			}
		}()
	}
	all.Wait()
}

// A server that is closed while readers park and wake closes all of them.
func TestCloseWhileParking(t *testing.T) {
	for round := range 6 {
		srv := serve(t, Options{})
		var clients sync.WaitGroup
		var servers []*peer
		for range 8 {
			alice := dialWebSocket(t, srv, 4)
			servers = append(servers, srv.accept(t))
			clients.Go(func() { // sends until the connection ends
				for alice.tryWrite(text("4x")) == nil && round%2 == 0 {
					runtime.Gosched()
				}
			})
			clients.Go(func() {
				for err := error(nil); err == nil; {
					_, _, err = alice.tryRead()
				}
				alice.answerClose()
				alice.cut()
			})
		}
		if err := srv.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
		for _, p := range servers {
			p.mu.Lock()
			p.forget = true
			p.mu.Unlock()
			p.wantClosed(t, ServerShutdown)
		}
		clients.Wait()
	}
}

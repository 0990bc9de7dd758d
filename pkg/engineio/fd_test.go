//go:build unix

package engineio

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"socketio-chat/pkg/engineio/internal/netpoll"
)

// What is written to a connection reaches nobody else: descriptors are written to
// past package net, and the system gives their numbers to the next connection as
// soon as they are closed. Clients and server end connections in every way while
// each is told its own name, over and over.
func TestDescriptorsAreNotMixedUp(t *testing.T) {
	const clients, rounds = 8, 60
	srv := serve(t, Options{})
	ctx, cancel := context.WithCancel(context.Background())
	var said atomic.Int64
	var speakers, listeners sync.WaitGroup
	for range 2 {
		speakers.Go(func() {
			b := srv.NewBatch()
			for ctx.Err() == nil {
				for _, c := range srv.snapshot() {
					if c.Writable() { // or queues would run over
						b.Send(c, NewTextFrame([]byte(c.ID())))
						said.Add(1)
					}
				}
				b.Flush()
			}
		})
	}
	for i := range clients {
		listeners.Go(func() {
			for round := range rounds {
				listenAndLeave(t, srv, i+round)
			}
		})
	}
	listeners.Wait()
	cancel()
	speakers.Wait()
	if said.Load() < clients*rounds {
		t.Errorf("only %d frames were sent", said.Load())
	}
}

// A transport whose socket is closed writes nothing, not even its close frame: the
// descriptor may be somebody else's by now, as it is here.
func TestClosedDescriptorIsLeftAlone(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	pair := func() (ends [2]net.Conn) {
		var err [2]error
		ends[0], err[0] = net.Dial("tcp", l.Addr().String())
		ends[1], err[1] = l.Accept()
		if err := errors.Join(err[:]...); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { ends[0].Close(); ends[1].Close() })
		return ends
	}
	for name, write := range map[string]func(tr *wsTransport){
		"frames": func(tr *wsTransport) {
			w := writers.Get().(*writer)
			defer writers.Put(w)
			if tr.beginWrite() {
				_, err := w.sendFrames(tr, []*Frame{NewTextFrame([]byte("stray"))}, 4)
				t.Errorf("it may be written to: %v", err)
			}
		},
		"a close frame": func(tr *wsTransport) { tr.closeWith(1001) },
	} {
		tr := transportOf(pair()[0])
		tr.endRead()
		for range 100 { // the system takes the lowest number that is free
			ends := pair()
			for i, end := range ends {
				if _, fd := netpoll.Socket(end); fd != tr.fd {
					continue
				}
				write(tr)
				const mark = "mine"
				if _, err := io.WriteString(end, mark); err != nil {
					t.Fatal(err)
				}
				got := make([]byte, len(mark))
				if _, err := io.ReadFull(ends[1-i], got); err != nil || string(got) != mark {
					t.Errorf("%s: the next to have the descriptor sends %q, %v", name, got, err)
				}
				tr.fd = netpoll.None
			}
			if tr.fd == netpoll.None {
				break
			}
		}
		if tr.fd != netpoll.None {
			t.Errorf("%s: nobody got the descriptor", name)
		}
	}
}

// A close frame arrives, also where the socket takes nothing when it is sent.
func TestCloseFrameOnFullSocket(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	alice, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer alice.Close()
	here, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	tr := transportOf(here)
	waiting := 0
	for n := -1; n != 0; waiting += n {
		if n, err = tr.fd.Send(make([]byte, writeChunk)); err != nil {
			t.Fatal(err)
		}
	}
	tr.closeWith(1008, "slow client")
	tr.endRead() // the socket is closed behind the frame
	got, err := io.ReadAll(alice)
	if err != nil {
		t.Fatal(err)
	}
	if want := "\x88\x0d\x03\xf0slow client"; string(got[min(waiting, len(got)):]) != want {
		t.Errorf("%d bytes waited; behind them came %q, want %q", waiting, got[min(waiting, len(got)):], want)
	}
}

// listenAndLeave opens a session, by WebSocket or polling, hears what it is told, and
// ends it.
func listenAndLeave(t *testing.T, srv *testServer, way int) {
	if way%3 == 0 {
		pollAndLeave(t, srv)
		return
	}
	alice := dialWebSocket(t, srv, 4)
	defer alice.cut()
	id := sid(alice.open)
	for n := range 1 + way%5 {
		typ, data, err := alice.tryRead()
		if err != nil {
			t.Errorf("after %d messages: %v", n, err)
			return
		}
		if want := "4" + id; string(data) != want {
			t.Errorf("got %d %q, want %q", typ, data, want)
		}
	}
	switch way % 4 {
	case 0: // cut
	case 1:
		_ = alice.tcp().SetLinger(0) // reset
	case 2:
		_ = alice.tryWrite(masked(0x88, nil))
	case 3:
		if c, ok := srv.lookup(id); ok {
			c.Discard()
		}
	}
}

func pollAndLeave(t *testing.T, srv *testServer) {
	client := &http.Client{Transport: &http.Transport{DialContext: (&net.Dialer{}).DialContext}}
	defer client.CloseIdleConnections()
	res := request(client, http.MethodGet, srv.url("http", "EIO=4&transport=polling"), "", nil)
	id := sid(res.body)
	for range 3 {
		res := request(client, http.MethodGet, srv.url("http", "EIO=4&transport=polling&sid="+id), "", nil)
		if res.err != nil || len(res.body) < len(id)+1 || res.body[:len(id)+1] != "4"+id {
			t.Errorf("%s was told %d %.60q, %v", id, res.status, res.body, res.err)
			return
		}
	}
	if c, ok := srv.lookup(id); ok {
		c.Discard()
	}
}

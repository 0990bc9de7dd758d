package httpserver

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"syscall"
	"testing"
	"testing/fstest"
	"time"
)

// serveRoom starts a server with room for few idle connections.
func serveRoom(t *testing.T, most int) (s *Server, dial func() net.Conn) {
	t.Helper()
	s = newTestServer(t, Options{MaxIdle: most})
	l, err := Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Serve(l)
	}()
	t.Cleanup(func() {
		_ = s.public.Close()
		<-done
	})
	return s, func() net.Conn {
		nc, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { nc.Close() })
		_ = nc.SetDeadline(time.Now().Add(30 * time.Second))
		return nc
	}
}

const alive = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"

func healthy(nc net.Conn) error {
	if _, err := io.WriteString(nc, alive); err != nil {
		return err
	}
	res, err := http.ReadResponse(bufio.NewReader(nc), nil)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %d", res.StatusCode)
	}
	return err
}

// Connections that ask nothing give way to those that do, the oldest first.
func TestIdleConnectionsGiveWay(t *testing.T) {
	for name, begin := range map[string]string{
		"silent": "", "half a request": "GET / HTTP/1.1\r\nHost: x\r\nX: ", "half a request line": "GE", "between two requests": alive,
	} {
		t.Run(name, func(t *testing.T) {
			s, dial := serveRoom(t, 8)
			var idle []net.Conn
			for i := range 40 {
				nc := dial()
				if begin == alive {
					if err := healthy(nc); err != nil {
						t.Fatal(err)
					}
					// Its client has the answer a little before it counts as idle: which is the oldest depends on that.
					for end := time.Now().Add(30 * time.Second); s.room.idle() < min(i+1, s.room.most); time.Sleep(time.Millisecond) {
						if time.Now().After(end) {
							t.Fatalf("%d connections count as idle after %d requests", s.room.idle(), i+1)
						}
					}
				} else if _, err := io.WriteString(nc, begin); err != nil {
					t.Fatal(err)
				}
				idle = append(idle, nc)
			}
			if err := healthy(dial()); err != nil {
				t.Errorf("a request after 40 idle connections: %v", err)
			}
			for i, nc := range idle[:24] {
				if _, err := io.ReadAll(nc); err != nil && !errors.Is(err, syscall.ECONNRESET) {
					t.Errorf("idle connection %d is there still: %v", i, err)
				}
			}
			if begin == alive {
				if err := healthy(idle[39]); err != nil {
					t.Errorf("the youngest idle connection: %v", err)
				}
			}
			if got := s.Stats(); got.ClosedIdle < 24 || got.Refused != 0 {
				t.Errorf("%+v", got)
			}
		})
	}
}

// What is being answered never gives way.
func TestBusyConnectionsStay(t *testing.T) {
	hold, entered := make(chan struct{}), make(chan struct{})
	s := newTestServer(t, Options{MaxIdle: 2, Socket: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		entered <- struct{}{}
		<-hold
		w.WriteHeader(http.StatusNoContent)
	})})
	l, err := Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = s.Serve(l) }()
	defer s.public.Close()
	var busy []net.Conn
	for range 20 {
		nc, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		_, _ = io.WriteString(nc, "GET /socket.io/ HTTP/1.1\r\nHost: x\r\n\r\n")
		busy = append(busy, nc)
		<-entered
	}
	close(hold)
	for i, nc := range busy {
		_ = nc.SetDeadline(time.Now().Add(30 * time.Second))
		if res, err := http.ReadResponse(bufio.NewReader(nc), nil); err != nil || res.StatusCode != http.StatusNoContent {
			t.Errorf("request %d: %v", i, err)
		}
	}
}

func TestDescriptorsAreKept(t *testing.T) {
	var refused room
	refused.waiting = newWaiting()
	refused.highest, refused.spare = 1, 1<<20 // below any descriptor that there can be
	refused.log.Logger = slog.New(slog.DiscardHandler)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	nc, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if refused.admit(nc) || refused.refused.Load() != 1 {
		t.Error("a connection was let in although all descriptors are in use")
	}
	other, _ := net.Pipe()
	refused.waiting.state(other, http.StateNew)
	if !refused.admit(nc) || refused.closed.Load() != 1 || refused.waiting.len() != 0 {
		t.Error("a connection that waits did not give way")
	}
}

// Some descriptors stay free also if the code that gets the connections moves them to others, as the front does: then
// each new one has the same low number.
func TestDescriptorsAreKeptThoughConnectionsMove(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	const most = 20
	var r room
	r.waiting, r.spare = newWaiting(), most // half of it may go for what is being closed
	r.log.Logger = slog.New(slog.DiscardHandler)
	for range 2 * most {
		theirs, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer theirs.Close()
	}
	admitted := 0
	for i := range 2 * most {
		nc, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			r.highest = freeDescriptor(nc) + most
		}
		if !r.admit(nc) {
			_ = nc.Close()
			continue
		}
		admitted++
		moved, err := nc.(*net.TCPConn).File()
		if err != nil {
			t.Fatal(err)
		}
		defer moved.Close()
		_ = nc.Close()
	}
	if refused := int(r.refused.Load()); admitted < most/2 || admitted > most+1 || admitted+refused != 2*most {
		t.Errorf("%d connections were admitted and %d refused, with room for %d", admitted, refused, most)
	}
}

// When all descriptors are in use and nobody waits, the oldest answer that is not read gives way.
func TestAnswersThatAreNotReadGiveWay(t *testing.T) {
	const long = 16 << 20 // more than systems keep for a client
	s := newTestServer(t, Options{Page: fstest.MapFS{"index.html": {Data: make([]byte, long)}}})
	l, err := Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = s.Serve(l) }()
	defer s.public.Close()
	slow := make([]net.Conn, 2)
	for i := range slow {
		if slow[i], err = net.Dial("tcp", l.Addr().String()); err != nil {
			t.Fatal(err)
		}
		defer slow[i].Close()
		_ = slow[i].SetDeadline(time.Now().Add(30 * time.Second))
		_, _ = io.WriteString(slow[i], "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		if _, err := io.ReadFull(slow[i], make([]byte, 100)); err != nil { // the answer has begun
			t.Fatal(err)
		}
	}
	s.room.highest = 1    // below any descriptor that there can be
	s.room.admit(slow[0]) // or any connection with a descriptor
	if got := s.Stats(); got.ClosedSlow != 1 {
		t.Errorf("%+v", got)
	}
	for i, nc := range slow {
		n, err := io.Copy(io.Discard, nc)
		if whole := err == nil && n > long-100; whole != (i == 1) {
			t.Errorf("answer %d: %d bytes, %v", i, n, err)
		}
	}
}

// The operators' address takes no more descriptors than it has to: without this 1,500 connections that asked once and
// stayed shut the chat's clients out of a process that may have as many.
func TestOperatorsConnectionsGiveWay(t *testing.T) {
	s := newTestServer(t, Options{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.ServeOperator(l)
	}()
	defer func() {
		_ = s.operator.Close()
		<-done
	}()
	const more = 40
	var all []net.Conn
	for range operatorIdle + more {
		nc, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		_ = nc.SetDeadline(time.Now().Add(30 * time.Second))
		if err := healthy(nc); err != nil {
			t.Fatal(err)
		}
		all = append(all, nc)
	}
	for i, nc := range all[:more/2] {
		if _, err := io.ReadAll(nc); err != nil && !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("connection %d is there still: %v", i, err)
		}
	}
	if err := healthy(all[len(all)-1]); err != nil {
		t.Errorf("the youngest connection: %v", err)
	}
	if got := s.Stats(); got.ClosedIdle < more/2 || got.Refused != 0 {
		t.Errorf("%+v", got)
	}
}

//go:build linux

package engineio

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// dialTiny dials with the smallest receive buffer and segments, so that a server that
// writes much has to wait for the client.
func dialTiny(t testing.TB, s *testServer) *net.TCPConn {
	t.Helper()
	d := net.Dialer{Control: func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) {
			_ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4096)
			_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_MAXSEG, 536)
		})
	}}
	nc, err := d.Dial("tcp", s.addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	return nc.(*net.TCPConn)
}

// pollOn writes a poll by hand; fields come before the end of its head.
func (c *pollClient) pollOn(t testing.TB, nc io.Writer, fields string) {
	t.Helper()
	if _, err := fmt.Fprintf(nc, "GET /engine.io/?EIO=4&transport=polling&sid=%s HTTP/1.1\r\nHost: x\r\n%s\r\n", c.sid, fields); err != nil {
		t.Fatal(err)
	}
}

// waysToPoll are the header fields that lead a poll to the front, and past it.
var waysToPoll = map[string]string{"front": "", "net/http": "Connection: close\r\n"}

// A polling client that does not read its answer does not pin it: neither while its
// session goes on, nor after that, nor while the server ends.
func TestUnreadPollAnswersAreNotPinned(t *testing.T) {
	for name, fields := range waysToPoll {
		t.Run("for WriteTimeout, "+name, func(t *testing.T) {
			srv := serveSmall(t, Options{WriteTimeout: 100 * time.Millisecond, QueueBytes: 32 << 20})
			alice := dialPolling(t, srv, 4)
			here := srv.accept(t)
			here.Send(NewTextFrame(bytes.Repeat([]byte("x"), 8<<20)))
			alice.pollOn(t, dialTiny(t, srv), fields)
			here.wantClosed(t, SlowClient)
			eventually(t, "nothing runs", srv.idle)
		})
		t.Run("after the session, "+name, func(t *testing.T) {
			srv := serveSmall(t, Options{WriteTimeout: time.Hour, QueueBytes: 32 << 20})
			alice := dialPolling(t, srv, 4)
			here := srv.accept(t)
			here.Send(NewTextFrame(bytes.Repeat([]byte("x"), 8<<20)))
			nc := dialTiny(t, srv)
			alice.pollOn(t, nc, fields)
			here.wantTaken(t)
			here.Discard()
			here.wantClosed(t, ForcedClose)
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			if err := srv.Close(ctx); err != nil {
				t.Error(err)
			}
			if err := srv.http.Config.Shutdown(ctx); err != nil {
				t.Errorf("the HTTP server waits for the answer: %v", err)
			}
		})
	}
}

// idle tells that no goroutine of the server and none of its HTTP handlers runs.
func (s *testServer) idle() bool {
	s.running.mu.Lock()
	n := s.running.n
	s.running.mu.Unlock()
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	return n == 0 && !bytes.Contains(stacks, []byte("servePoll"))
}

// wantTaken waits until a poll has taken what is queued.
func (p *peer) wantTaken(t testing.TB) {
	t.Helper()
	eventually(t, "a poll took the packets", func() bool {
		p.Conn.mu.Lock()
		defer p.Conn.mu.Unlock()
		return p.sender.queue.empty() && p.sender.slow != nil
	})
}

// What polls have taken and not yet written counts in the session's queue: its bound
// holds however many connections its client polls on.
func TestPollAnswersCountInTheQueue(t *testing.T) {
	for name, fields := range waysToPoll {
		t.Run(name, func(t *testing.T) {
			const each = 1 << 20
			srv := serveSmall(t, Options{QueueBytes: 3*each + 4096})
			alice := dialPolling(t, srv, 4)
			here := srv.accept(t)
			sent := 0
			for here.Send(NewTextFrame(bytes.Repeat([]byte("x"), each))) {
				sent++
				alice.pollOn(t, dialTiny(t, srv), fields)
				here.wantTaken(t)
				if n := srv.Census().QueuedBytes; n < int64(sent*each) {
					t.Fatalf("the census says %d bytes after %d answers", n, sent)
				}
				if sent > 10 {
					t.Fatal("polls take what they like")
				}
			}
			if sent != 3 {
				t.Errorf("%d answers of 1 MiB under way, with a bound of 3", sent)
			}
			here.wantClosed(t, SlowClient)
		})
	}
}

// An answer that cannot be written ends its session: its packets exist nowhere else.
func TestFailedPollAnswerEndsTheSession(t *testing.T) {
	for name, fields := range waysToPoll {
		t.Run(name, func(t *testing.T) {
			srv := serveSmall(t, Options{QueueBytes: 32 << 20})
			alice := dialPolling(t, srv, 4)
			here := srv.accept(t)
			here.Send(NewTextFrame(bytes.Repeat([]byte("x"), 8<<20)))
			nc := dialTiny(t, srv)
			alice.pollOn(t, nc, fields)
			here.wantTaken(t)
			_ = nc.SetLinger(0)
			nc.Close() // a reset
			here.wantClosed(t, TransportClose)
			alice.wantGone(t)
		})
	}
	t.Run("at once", func(t *testing.T) {
		srv := serve(t, Options{})
		dialPolling(t, srv, 4)
		here := srv.accept(t)
		here.Conn.mu.Lock()
		here.sendTextLocked("precious")
		a := here.takePollLocked()
		here.Conn.mu.Unlock()
		here.answerPoll(httpSink{brokenWriter{}}, nil, a)
		here.wantClosed(t, TransportClose)
	})
}

// sendTextLocked queues a text without waking a poll.
func (p *peer) sendTextLocked(text string) {
	f := NewTextFrame([]byte(text))
	p.sender.add([]*Frame{f}, f.size())
}

// A brokenWriter is the end of a connection that is gone.
type brokenWriter struct{}

func (brokenWriter) Header() http.Header       { return http.Header{} }
func (brokenWriter) WriteHeader(int)           {}
func (brokenWriter) Write([]byte) (int, error) { return 0, syscall.EPIPE }

// A client that reads slowly, but reads, gets all of a long answer, although it takes
// longer than WriteTimeout; and its connection goes on.
func TestSlowlyReadPollAnswer(t *testing.T) {
	for name, fields := range waysToPoll {
		t.Run(name, func(t *testing.T) {
			srv := serveSmall(t, Options{WriteTimeout: 2 * time.Second, QueueBytes: 8 << 20})
			alice := dialPolling(t, srv, 4)
			here := srv.accept(t)
			text := strings.Repeat("x", 4<<20)
			here.sendText(text)
			nc := dialRaw(t, srv)
			t.Cleanup(func() { nc.Close() })
			_ = nc.SetReadBuffer(64 << 10) // below it, the kernel's probes decide how long a piece takes
			alice.pollOn(t, nc, fields)
			_ = nc.SetReadDeadline(time.Now().Add(patience))
			var got bytes.Buffer
			b := make([]byte, 8<<10)
			for begin := time.Now(); time.Since(begin) < 4*time.Second && got.Len() < 3<<20; {
				n, err := nc.Read(b)
				if err != nil {
					t.Fatalf("after %d bytes: %v", got.Len(), err)
				}
				got.Write(b[:n])
				<-time.After(5 * time.Millisecond) // this is the slowness
			}
			for !bytes.HasSuffix(got.Bytes(), []byte("x")) || got.Len()-bytes.Index(got.Bytes(), []byte("\r\n\r\n")) < len(text)+5 {
				n, err := nc.Read(b)
				got.Write(b[:n])
				if err != nil {
					break
				}
			}
			if !bytes.HasSuffix(got.Bytes(), []byte("\r\n\r\n4"+text)) {
				t.Fatalf("got %d bytes of %d", got.Len(), len(text))
			}
			if !here.Open() {
				t.Error("the session has ended")
			}
		})
	}
}

// Long polls that are answered all at once do not hold up a bystander.
func TestLongPollAnswersDoNotDelayABystander(t *testing.T) {
	polls := 100
	if underRace { // encoding a quarter of them takes far longer than a bystander may wait
		polls = 25
	}
	for name, fields := range waysToPoll {
		t.Run(name, func(t *testing.T) {
			srv := serve(t, Options{PingInterval: time.Hour}) // however slow the machine
			frame := NewTextFrame([]byte(`["msg","` + strings.Repeat("안녕", 150_000) + `"]`))
			var requests []string
			for range polls {
				res := request(newHTTPClient(t), "GET", srv.url("http", "EIO=3&transport=polling&b64=1"), "", nil)
				if !srv.accept(t).Send(frame) {
					t.Fatal("not sent")
				}
				requests = append(requests, fmt.Sprintf("GET /engine.io/?EIO=3&transport=polling&b64=1&sid=%s HTTP/1.1\r\nHost: x\r\n%s\r\n", sid(res.body), fields))
			}
			alice := dialWebSocket(t, srv, 4)
			srv.accept(t).echo()
			echo := func() time.Duration {
				begin := time.Now()
				alice.sendText(t, "4x")
				alice.wantText(t, "4x")
				return time.Since(begin)
			}
			var conns []*net.TCPConn
			for _, r := range requests {
				nc := dialRaw(t, srv)
				conns = append(conns, nc)
				if _, err := io.WriteString(nc, r); err != nil {
					t.Fatal(err)
				}
				defer nc.Close()
			}
			read := make(chan struct{})
			go func() { // one after another: the client's own work shall not count
				defer close(read)
				for _, nc := range conns {
					_ = nc.SetReadDeadline(time.Now().Add(patience))
					_, _ = io.CopyN(io.Discard, nc, 900_000)
				}
			}()
			var worst time.Duration
			for done := false; !done; {
				select {
				case <-read:
					done = true
				default:
					worst = max(worst, echo())
				}
			}
			t.Logf("the slowest echo took %v", worst)
			if worst > 2*time.Second { // 150 ms on a quiet machine
				t.Errorf("a bystander waited %v", worst)
			}
		})
	}
}

// However many long polls are due at once, few of their answers are encoded and not yet offered to a
// socket: whatever a client or an address asks for, the others have the processors and the memory.
func TestFewLongAnswersAreEncodedAtOnce(t *testing.T) {
	polls := 100
	if underRace {
		polls = 20
	}
	synctest.Test(t, func(t *testing.T) {
		srv := NewServer(Options{OnConnect: func(*Conn) Receiver { return nobody{} }, NoIOUring: true})
		sink := &heldSink{server: srv, offer: make(chan struct{})}
		frame := NewTextFrame([]byte(strings.Repeat("안녕", 150_000)))
		for range polls {
			c := &Conn{server: srv, sender: sender{protocol: 3, b64: true, greeted: true}, handshake: &Handshake{}, intake: intake{receiver: nobody{}}}
			c.enqueue([]*Frame{frame})
			c.mu.Lock()
			a := c.takePollLocked()
			c.mu.Unlock()
			go c.answerPoll(sink, nil, a)
		}
		for written := range polls {
			synctest.Wait() // until nobody can go on
			if n, most := int(sink.held.Load()), min(cap(srv.heavyWork), polls-written); n != most {
				t.Fatalf("%d answers are encoded, want %d", n, most)
			}
			sink.offer <- struct{}{}
		}
		synctest.Wait()
		if n := sink.bytes.Load(); n != int64(polls)*int64(len(frame.Text())+len("300001:4")) {
			t.Errorf("%d bytes were written", n)
		}
		if err := srv.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// A heldSink is the front's on a day when no answer is offered to its socket unless the test says so.
type heldSink struct {
	server      *Server
	offer       chan struct{}
	held, bytes atomic.Int64
}

func (*heldSink) waits() bool { return false }

func (s *heldSink) writeAnswer(_ int, _ string, body []byte, r pollReceipt) {
	s.held.Add(1)
	<-s.offer
	s.held.Add(-1)
	s.bytes.Add(int64(len(body)))
	r.done(nil)
}

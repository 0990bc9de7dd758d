package engineio

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/gorilla/websocket"
)

// Frames of each sender keep their order on each connection, and frames of one
// Send stay together, whatever is sent at the same time.
func TestOrderOfBatches(t *testing.T) {
	const senders, rounds = 4, 150
	srv := serve(t, Options{QueueBytes: 64 << 20})
	var conns []*Conn
	var reads []func() string // the next message of each client
	for i := range 6 {
		alice := dialWebSocket(t, srv, 3+i%2)
		conns = append(conns, srv.accept(t).Conn)
		reads = append(reads, func() string { s, _ := alice.read(t); return s })
	}
	bob := dialPolling(t, srv, 4)
	conns = append(conns, srv.accept(t).Conn)
	var polled []string
	reads = append(reads, func() string {
		if len(polled) == 0 {
			polled = strings.Split(bob.poll(t), "\x1e")
		}
		next := polled[0]
		polled = polled[1:]
		return next
	})

	var all sync.WaitGroup
	for sender := range senders {
		all.Go(func() {
			b := srv.NewBatch()
			for i := range rounds {
				frames := make([]*Frame, 1+i%3)
				for j := range frames {
					frames[j] = NewTextFrame(fmt.Appendf(nil, "%d %d %d", sender, i, j))
				}
				for _, c := range conns {
					if i%7 == 0 { // not only batches
						b.Flush()
						c.Send(frames...)
					} else {
						b.Send(c, frames...)
					}
				}
				if i%5 != 0 { // a batch may hold several frames of a connection
					b.Flush()
				}
			}
			b.Flush()
		})
	}
	for client, read := range reads {
		next := make([]int, senders)
		for range senders * rounds {
			var sender, i, j int
			got := read()
			if _, err := fmt.Sscanf(got, "4%d %d %d", &sender, &i, &j); err != nil || i != next[sender] || j != 0 {
				t.Fatalf("client %d got %q, want frame 0 of round %d", client, got, next[sender])
			}
			next[sender]++
			for j := 1; j <= i%3; j++ {
				if got, want := read(), fmt.Sprintf("4%d %d %d", sender, i, j); got != want {
					t.Fatalf("client %d got %q between the frames of one Send, want %q", client, got, want)
				}
			}
		}
	}
	all.Wait()
}

// A client that does not read is closed once more than QueueBytes wait for it,
// and can read why. The others get everything meanwhile, message by message.
func TestSlowClient(t *testing.T) {
	srv := serveSmall(t, Options{QueueBytes: 256 << 10})
	slow := dialSlow(t, srv, 4)
	slowHere := srv.accept(t)
	alice, carol := dialWebSocket(t, srv, 4), dialWebSocket(t, srv, 3)
	aliceHere, carolHere := srv.accept(t), srv.accept(t)

	b := srv.NewBatch()
	n := 0
	message := func(i int) string { return fmt.Sprintf("%06d", i) + strings.Repeat("x", 1000) }
	for ; slowHere.Open(); n++ {
		if n > 5000 {
			t.Fatal("5 MB wait for a client that reads nothing")
		}
		f := NewTextFrame([]byte(message(n)))
		b.Send(slowHere.Conn, f)
		b.Send(aliceHere.Conn, f)
		b.Send(carolHere.Conn, f)
		b.Flush()
		alice.wantText(t, "4"+message(n)) // would not come before slow reads, if slow held it up
		carol.wantText(t, "4"+message(n))
	}
	if err := slowHere.wantClosed(t, SlowClient); err != errQueueOverflow {
		t.Error(err)
	}
	// When it reads at last, it finds messages in order, and the reason.
	got := 0
	for ; ; got++ {
		_, data, err := slow.tryRead()
		if err != nil {
			if ce, ok := err.(*websocket.CloseError); !ok || ce.Code != 1008 || ce.Text != "slow client" {
				t.Fatalf("after %d messages: %v", got, err)
			}
			break
		}
		if want := "4" + message(got); string(data) != want {
			t.Fatalf("message %d is %.20q", got, data)
		}
	}
	if got == 0 || got >= n {
		t.Errorf("the slow client got %d of %d messages", got, n)
	}
	slow.answerClose()
	slow.wantEOF(t)
	if s := srv.Stats(); s.Closed(SlowClient) != 1 || s.QueueFull() != 1 || srv.Len() != 2 {
		t.Errorf("%d slow, %d with a full queue, %d left", s.Closed(SlowClient), s.QueueFull(), srv.Len())
	}
}

// A polling client that never polls is as bounded as any.
func TestNeverPolls(t *testing.T) {
	srv := serve(t, Options{QueueBytes: 64 << 10})
	bob := dialPolling(t, srv, 4)
	server := srv.accept(t)
	f := NewTextFrame(make([]byte, 1<<10))
	sent := 0
	for ; server.Send(f); sent++ {
		if sent > 64 {
			t.Fatal("more than QueueBytes wait")
		}
	}
	if sent < 60 {
		t.Errorf("only %d KB could wait", sent)
	}
	server.wantClosed(t, SlowClient)
	if res := bob.get(t); res.status != 400 || res.body != `{"code":1,"message":"Session ID unknown: slow client"}` {
		t.Errorf("the next poll: %d %q", res.status, res.body)
	}
}

// One frame, or the frames of one Send, may be larger than QueueBytes when
// nothing else waits.
func TestFrameLargerThanQueue(t *testing.T) {
	srv := serveSmall(t, Options{QueueBytes: 1000})
	for _, dial := range []func() func(){
		func() func() {
			alice := dialSlow(t, srv, 4)
			return func() {
				alice.wantBinary(t, pattern(1, 200_000))
				alice.wantBinary(t, pattern(2, 200_000))
			}
		},
		func() func() {
			bob := dialPolling(t, srv, 3)
			return func() {
				size := digits(200_001)
				bob.wantPoll(t, "\x01"+size+"\xff\x04"+string(pattern(1, 200_000))+"\x01"+size+"\xff\x04"+string(pattern(2, 200_000)))
			}
		},
	} {
		want := dial()
		server := srv.accept(t)
		if !server.Send(NewBinaryFrame(pattern(1, 200_000)), NewBinaryFrame(pattern(2, 200_000))) {
			t.Error("not sent")
		}
		want()
		server.Send(NewTextFrame(make([]byte, 2000)))
		server.Send(NewTextFrame([]byte("y"))) // the queue may be empty again or not
		server.Discard()
	}
}

// What is written to a slow peer in pieces arrives as it was sent, also when
// more is sent all the time.
func TestCatchUp(t *testing.T) {
	sizes := []int{1, 70_000, 300, 1_500_000, 64 << 10, 64<<10 - 4, 125, 126, 0, 65_535, 65_536, 100_000}
	const rounds, ahead = 4, 20 // frames that may be under way
	for _, protocol := range []int{3, 4} {
		srv := serveSmall(t, Options{QueueBytes: 64 << 20})
		alice := dialSlow(t, srv, protocol)
		server := srv.accept(t)
		var all sync.WaitGroup
		window := make(chan struct{}, ahead)
		all.Go(func() {
			for i := range rounds * len(sizes) {
				window <- struct{}{}
				data := pattern(i, sizes[i%len(sizes)]/(1+i/len(sizes)))
				if i%2 == 0 {
					server.Send(NewBinaryFrame(data))
				} else {
					server.Send(NewTextFrame(asText(data)))
				}
			}
		})
		for i := range rounds * len(sizes) {
			data := pattern(i, sizes[i%len(sizes)]/(1+i/len(sizes)))
			switch {
			case i%2 == 1:
				alice.wantText(t, "4"+string(asText(data)))
			case protocol == 3:
				alice.wantBinary(t, append([]byte{4}, data...))
			default:
				alice.wantBinary(t, data)
			}
			<-window
		}
		all.Wait()
		if !server.Open() {
			t.Error("closed")
		}
	}
}

// asText makes ASCII of bytes.
func asText(b []byte) []byte {
	for i := range b {
		b[i] = ' ' + b[i]%0x5f
	}
	return b
}

// A connection that is sent to from everywhere while it ends in every way ends
// all the same, and what arrives before is in order.
func TestSendWhileEnding(t *testing.T) {
	srv := serveSmall(t, Options{QueueBytes: 128 << 10})
	for i := range 24 {
		alice := dialSlow(t, srv, 4)
		server := srv.accept(t)
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				b := srv.NewBatch()
				f := NewTextFrame(bytes.Repeat([]byte{'x'}, 5000))
				for b.Send(server.Conn, f, f) {
					b.Flush()
				}
				b.Flush()
			})
		}
		for range i {
			_, _, _ = alice.tryRead() // its queue may have run over already
		}
		switch i % 4 {
		case 0:
			server.Close()
		case 1:
			server.Discard()
		case 2:
			alice.cut()
		case 3: // nothing: its queue runs over
		}
		all.Wait()
		for err := error(nil); err == nil; {
			_, _, err = alice.tryRead()
		}
		alice.cut()
		<-server.ended
	}
	srv.wantLen(t, 0)
}

// An unflushed batch keeps what it holds back, and only that.
func TestBatchFlush(t *testing.T) {
	srv := serve(t, Options{})
	alice, bob := dialWebSocket(t, srv, 4), dialWebSocket(t, srv, 4)
	aliceHere, bobHere := srv.accept(t), srv.accept(t)
	f := NewTextFrame([]byte("batched"))
	b := srv.NewBatch()
	b.Flush() // of nothing
	b.Send(aliceHere.Conn, f)
	b.Send(aliceHere.Conn)
	if aliceHere.Writable() {
		t.Error("a connection with a queue is writable")
	}
	bobHere.Send(f)
	bob.wantText(t, "4batched")
	aliceHere.sendText("behind it")
	b.Flush()
	alice.wantText(t, "4batched", "4behind it")
	b.Send(bobHere.Conn, f, f) // used again
	b.Flush()
	bob.wantText(t, "4batched", "4batched")
	// A connection that ended while a batch held it.
	b.Send(aliceHere.Conn, f)
	b.Send(bobHere.Conn, f)
	aliceHere.Discard()
	b.Flush()
	bob.wantText(t, "4batched")
	alice.wantClose(t, 1005, "")
	eventually(t, "bob is writable again", bobHere.Writable)
}

func TestWritable(t *testing.T) {
	srv := serve(t, Options{})
	bob := dialPolling(t, srv, 4)
	server := srv.accept(t)
	if server.Writable() {
		t.Error("writable without a poll")
	}
	poll := bob.startPoll()
	server.wantPolling(t)
	if !server.Writable() {
		t.Error("not writable with a poll")
	}
	server.sendText("x")
	wantAnswer(t, poll, 200, "4x")
	server.sendText("y")
	if server.Writable() {
		t.Error("writable with a queue")
	}
}

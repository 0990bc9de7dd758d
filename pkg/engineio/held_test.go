package engineio

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"
)

type nobody struct{}

func (nobody) Receive([]byte, bool)      {}
func (nobody) Closed(CloseReason, error) {}

// Those that hold most go first, of equal ones the newest, and not all at once.
func TestShedOrder(t *testing.T) {
	s := NewServer(Options{OnConnect: func(*Conn) Receiver { return nil }})
	defer func() {
		s.each((*Conn).Discard) // no client would end it
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	conns := map[string]*Conn{}
	began := time.Now()
	for i, tt := range []struct {
		id    string
		taken int64
	}{{"small", 10}, {"old", 500}, {"new", 500}, {"large", 900}, {"idle", 0}} {
		c := &Conn{server: s, id: tt.id, handshake: &Handshake{Time: began.Add(time.Duration(i) * time.Second)}, intake: intake{receiver: nobody{}}}
		c.intake.took(int(tt.taken))
		conns[tt.id] = c
		s.conns[tt.id] = c
		s.running.add() // as register does; the end of the connection takes it off
	}
	open := func() (list string) {
		for _, id := range []string{"small", "old", "new", "large", "idle"} {
			if conns[id].Open() {
				list += id + " "
			}
		}
		return list
	}
	s.AgeHeld()
	for _, step := range []struct {
		want, bytes int64
		left        string
	}{
		{1, 450, "small old new idle "},
		{100, 250, "small old idle "},
		{1000, 255, "idle "},
		{1000, 0, "idle "},
	} {
		if bytes, _ := s.Shed(step.want); bytes != step.bytes || open() != step.left {
			t.Errorf("%d wanted: %d shed, left: %s", step.want, bytes, open())
		}
	}
}

// The memory of a message is asked for as it grows, once, however small the pieces are in which it comes.
func TestRoomIsAskedForOnce(t *testing.T) {
	const size = 900_000
	asked := 0
	s := NewServer(Options{OnConnect: func(*Conn) Receiver { return nobody{} }, Room: func(n int) bool {
		asked += n
		return true
	}})
	defer s.Close(t.Context())
	data := asText(pattern(0, size))
	for name, read := range map[string]func(*Conn) ([]byte, error){
		"WebSocket": func(c *Conn) ([]byte, error) {
			r := newWSReader(transportOf(feedBy(masked(0x81, data), 100)), size, nil)
			r.conn = c
			got, _, err := r.next()
			return got, err
		},
		"POST": func(c *Conn) ([]byte, error) {
			return c.readAll(iotest.HalfReader(bytes.NewReader(data)), size)
		},
		"POST of a length that nobody knows": func(c *Conn) ([]byte, error) {
			return c.readAll(struct{ io.Reader }{feedBy(data, 100)}, 10*size)
		},
	} {
		asked = 0
		c := &Conn{server: s, handshake: &Handshake{Time: time.Now()}}
		got, err := read(c)
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
		if asked < size/2 || asked > 2*size {
			t.Errorf("%s: asked for %d bytes", name, asked)
		}
		if c.held() < size || c.held() > 2*size {
			t.Errorf("%s: %d bytes are counted", name, c.held())
		}
	}
}

// What is not complete counts as long as it is there, however long ago it came: a client that dribbles must not outlast those that chat. When
// it has been dealt with it does not.
func TestUnfinishedMessagesAreHeld(t *testing.T) {
	const size = 800_000
	data := asText(pattern(0, size))
	s := NewServer(Options{OnConnect: func(*Conn) Receiver { return nobody{} }})
	defer s.Close(t.Context())
	conn := func() *Conn { return &Conn{server: s, handshake: &Handshake{Time: time.Now()}} }
	age := func(c *Conn) int64 {
		for range 64 {
			c.intake.age()
		}
		return c.held()
	}
	fragments := masked(0x01, data[:1000])
	for i := 1000; i < size; i += 1000 {
		fragments = append(fragments, masked(0x00, data[i:i+1000])...)
	}
	for name, wire := range map[string][]byte{
		"half a frame": masked(0x81, append(data, data...))[:size],
		"fragments":    fragments,
	} {
		c := conn()
		r := newWSReader(transportOf(feedBy(wire, 5000)), 2*size, nil)
		r.conn = c
		if _, _, err := r.next(); err == nil {
			t.Errorf("%s: a message has come", name)
		}
		if held := age(c); held < size*9/10 || held > 2*size {
			t.Errorf("%s: %d bytes are held", name, held)
		}
		r.linger()
		if held := age(c); held != 0 {
			t.Errorf("%s: %d bytes are held by nobody", name, held)
		}
	}

	c := conn()
	r := newWSReader(transportOf(feedBy(append(masked(0x81, data), masked(0x81, []byte("x"))...), 5000)), size, nil)
	r.conn = c
	_, _, _ = r.next()
	if held := age(c); held < size {
		t.Errorf("a message that its receiver is busy with: %d bytes are held", held)
	}
	if got, _, err := r.next(); err != nil || string(got) != "x" || age(c) != 0 {
		t.Errorf("the message after it: %s, %v, %d bytes are held", got, err, c.held())
	}

	c = conn()
	body, err := c.readAll(iotest.DataErrReader(bytes.NewReader(data)), size)
	if held := age(c); err != nil || held < size || held != int64(cap(body)) {
		t.Errorf("a body: %v, %d bytes are held", err, held)
	}
}

// A client that is let go holds nothing from that moment on, though the close frame has its time: what a budget does not get back at once it
// takes from others. (16 of 20 clients that chat went with 168 that had sent half a message each.)
func TestShedFreesAtOnce(t *testing.T) {
	timed(t, "half a message", Options{}, func(t *testing.T, srv *testServer, c clock) {
		alice, server := dialPipe(t, srv, 4, false)
		frame := masked(0x81, asText(pattern(0, 500_000)))
		alice.write(t, frame[:400_000])
		c.at(10 * s)
		if bytes, conns := srv.Shed(1); conns != 1 || bytes < 400_000 {
			t.Errorf("%d connections with %d bytes were let go", conns, bytes)
		}
		synctest.Wait()
		if n := server.intake.inHand.Load(); n != 0 {
			t.Errorf("%d bytes are held still", n)
		}
		alice.wantClose(t, "")
		alice.write(t, frame[400_000:]) // she has not heard of it yet
		alice.answerClose(t)
		alice.wantEOF(t)
		c.want(10 * s)
		server.wantClosed(t, ForcedClose)
	})
	t.Run("half a body", func(t *testing.T) {
		const hour = time.Hour // the session's end alone ends it
		for _, front := range []bool{true, false} {
			srv := newTestServer(Options{BodyTimeout: hour, PingInterval: hour, PingTimeout: hour})
			srv.listenPlain(t, front)
			bob := dialPolling(t, srv, 4)
			server := srv.accept(t)
			nc := dialRaw(t, srv)
			fmt.Fprintf(nc, "POST /engine.io/?EIO=4&transport=polling&sid=%s HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\n%s", bob.sid, strings.Repeat("4", 400_000))
			eventually(t, "the half has come", func() bool { return server.intake.taken.Load() >= 390_000 })
			if bytes, conns := srv.Shed(1); conns != 1 || bytes < 400_000 {
				t.Errorf("%d connections with %d bytes were let go", conns, bytes)
			}
			server.wantClosed(t, ForcedClose)
			eventually(t, "nothing is held", func() bool { return server.intake.inHand.Load() == 0 })
			if _, err := io.Copy(io.Discard, nc); err != nil && !errors.Is(err, syscall.ECONNRESET) {
				t.Error(err)
			}
		}
	})
}

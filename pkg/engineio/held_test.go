package engineio

import (
	"bytes"
	"io"
	"testing"
	"testing/iotest"
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
		if c.held() != size && name != "WebSocket" {
			t.Errorf("%s: %d bytes are counted", name, c.held())
		}
	}
}

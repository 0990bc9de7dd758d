package engineio

import (
	"testing"
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
		c := &Conn{server: s, id: tt.id, handshake: &Handshake{Time: began.Add(time.Duration(i) * time.Second)}, receiver: nobody{}}
		c.took(int(tt.taken))
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

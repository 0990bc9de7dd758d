package engineio

import (
	"cmp"
	"slices"
	"time"
)

// What a connection holds in memory is known as far as it waits to be sent, or was received and is not dealt
// with: messages and bodies that are not complete, however long that takes, those that the receiver is busy
// with, and what it says it keeps (attachments that wait for others, events that wait for a handler). What
// else it made of what it received is estimated by what came lately.

// Only a part of all connections is let go at once, however little they seem to hold: what they did hold
// shows before the next time.
const (
	minShed   = 16 // connections
	shedShare = 16 // one of so many
)

// held estimates what the connection holds, in bytes.
func (c *Conn) held() int64 {
	c.mu.Lock()
	queued := c.sender.queued
	c.mu.Unlock()
	return queued + max(c.intake.taken.Load(), c.intake.inHand.Load())
}

// Hold tells how many bytes more, or with a negative n fewer, the receiver keeps of what it was given, beyond
// the end of Receive: memory that closing the connection would free. Server.Shed counts it.
func (c *Conn) Hold(n int64) { c.intake.inHand.Add(n) }

// AgeHeld makes what was received before count half in Shed. It is to be called every few seconds.
func (s *Server) AgeHeld() {
	s.each(func(c *Conn) { c.intake.age() })
}

// Shed closes connections that hold much memory until about want bytes are free: the largest first, of
// equal ones the newest. Their reason is ForcedClose, so that clients may come back for their session. It
// returns how many bytes and connections that were.
func (s *Server) Shed(want int64) (bytes int64, conns int) {
	type holder struct {
		*Conn
		held int64
	}
	var list []holder
	s.each(func(c *Conn) {
		if n := c.held(); n > 0 {
			list = append(list, holder{c, n})
		}
	})
	slices.SortFunc(list, func(a, b holder) int {
		return cmp.Or(cmp.Compare(b.held, a.held), b.handshake.Time.Compare(a.handshake.Time))
	})
	for _, c := range list[:min(len(list), max(minShed, len(list)/shedShare))] {
		if bytes >= want {
			break
		}
		c.shutdown(ForcedClose, errMemory)
		bytes, conns = bytes+c.held, conns+1
	}
	return bytes, conns
}

// How long a read waits for room, and how often it asks.
const (
	roomWait = 2 * time.Second
	roomStep = 5 * time.Millisecond
)

// awaitRoom returns when there is room for n bytes, or the connection has waited long enough.
func (s *Server) awaitRoom(n int) {
	if s.opts.Room == nil {
		return
	}
	for waited := time.Duration(0); waited < roomWait && !s.opts.Room(n); waited += roomStep {
		time.Sleep(roomStep)
	}
}

// grow makes room behind dst for a part of the n bytes that are still to come: no more than half of what
// is then there, so that one that promises much and sends nothing costs nothing. It asks for the memory.
// The server is nil where nobody counts.
func (s *Server) grow(dst []byte, n int) []byte {
	if cap(dst)-len(dst) >= min(n, readBuffer) {
		return dst
	}
	more := min(n, max(readBuffer, len(dst)))
	if s != nil {
		s.awaitRoom(more)
	}
	return slices.Grow(dst, more)
}

package engineio

import (
	"errors"
	"os"
	"syscall"
	"testing"
	"time"
)

// A stingyConn takes a few bytes of each write before the deadline comes.
type stingyConn struct {
	*feedConn
	takes []int // of each write; then everything
}

func (c *stingyConn) Write(b []byte) (int, error) {
	if len(c.takes) == 0 {
		return c.feedConn.Write(b)
	}
	n := c.takes[0]
	c.takes = c.takes[1:]
	_, _ = c.feedConn.Write(b[:n])
	return n, os.ErrDeadlineExceeded
}

// The write timeout is for a peer that takes nothing; one that takes little
// stays.
func TestWriteTimeout(t *testing.T) {
	for _, tt := range []struct {
		name  string
		takes []int
		raw   syscall.RawConn
		err   error
	}{
		{"takes all", nil, noRaw{}, nil},
		{"takes a little each time", []int{1, 7, 1000, 1, 1}, noRaw{}, nil},
		{"stops taking", []int{5, 5, 0}, noRaw{}, os.ErrDeadlineExceeded},
		{"takes nothing", []int{0}, noRaw{}, os.ErrDeadlineExceeded},
		{"TLS cannot go on in the middle of a record", []int{5}, nil, os.ErrDeadlineExceeded},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := &stingyConn{feed(), tt.takes}
			tr := transportOf(c)
			tr.raw = tt.raw
			data := pattern(0, 200_000)
			if err := tr.sendWaiting(data, time.Hour); !errors.Is(err, tt.err) {
				t.Fatalf("error %v, want %v", err, tt.err)
			}
			got := c.written.String()
			if tt.err == nil && got != string(data) || got != string(data[:len(got)]) {
				t.Errorf("wrote %d of %d bytes, or others", len(got), len(data))
			}
		})
	}
}

// noRaw says that a connection is a plain socket.
type noRaw struct{ syscall.RawConn }

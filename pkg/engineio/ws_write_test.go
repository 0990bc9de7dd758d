package engineio

import (
	"errors"
	"io"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/gobwas/ws"
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
			if err := tr.writeWaiting(data, time.Hour); !errors.Is(err, tt.err) {
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

// A transport that closes while frames are written stops at a frame's end and
// says so behind it, whoever writes.
func TestCloseBehindFrame(t *testing.T) {
	frames := []*Frame{NewTextFrame([]byte("one")), NewTextFrame([]byte("two")), NewTextFrame([]byte("three"))}
	c := &hookedConn{feedConn: feed()}
	tr := transportOf(c)
	c.onWrite = func() { tr.closeWith(ws.StatusPolicyViolation, "slow client") } // within the first write
	err := tr.writeSlowly(remainder{some: true}, frames, 4, time.Hour)
	if !errors.Is(err, errTransportClosing) {
		t.Errorf("error %v", err)
	}
	if got, want := c.written.String(), "\x81\x044one\x88\x0d\x03\xf0slow client"; got != want {
		t.Errorf("wrote %q, want %q", got, want)
	}
	if tr.isWriting() || tr.beginWrite() || tr.beginClose(1000) != nil {
		t.Error("a closed transport is written to")
	}
	if err := tr.writeProbe(probeFrame); !errors.Is(err, errTransportClosing) {
		t.Errorf("probe on a closed transport: %v", err)
	}
}

// A hookedConn calls onWrite once, before its first write.
type hookedConn struct {
	*feedConn
	onWrite func()
}

func (c *hookedConn) Write(b []byte) (int, error) {
	if f := c.onWrite; f != nil {
		c.onWrite = nil
		f()
	}
	return c.feedConn.Write(b)
}

// What the close frame says of each way to end.
func TestCloseCode(t *testing.T) {
	for _, tt := range []struct {
		reason CloseReason
		err    error
		code   ws.StatusCode
		text   string
	}{
		{ForcedClose, nil, closeNone, ""},
		{TransportClose, io.ErrUnexpectedEOF, closeNone, ""},
		{PingTimeout, nil, closeNone, ""},
		{SlowClient, errQueueOverflow, 1008, "slow client"},
		{SlowClient, os.ErrDeadlineExceeded, 1008, "slow client"},
		{TransportError, closeError{1009, "too big"}, 1009, "too big"},
		{TransportError, errHeartbeatWay, closeNone, ""},
		{ParseError, errPacketEmpty, closeNone, ""},
	} {
		if code, text := closeCode(tt.reason, tt.err); code != tt.code || text != tt.text {
			t.Errorf("%s, %v: %d %q, want %d %q", tt.reason, tt.err, code, text, tt.code, tt.text)
		}
	}
}

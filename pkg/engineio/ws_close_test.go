package engineio

import (
	"errors"
	"io"
	"os"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"socketio-chat/pkg/engineio/internal/packet"
	"socketio-chat/pkg/engineio/internal/wsframe"
)

// A transport that closes while frames are written stops at a frame's end and
// says so behind it, whichever goroutine writes.
func TestCloseBehindFrame(t *testing.T) {
	frames := []*Frame{NewTextFrame([]byte("one")), NewTextFrame([]byte("two")), NewTextFrame([]byte("three"))}
	c := &hookedConn{feedConn: feed()}
	tr := transportOf(c)
	c.onWrite = func() { tr.closeWith(ws.StatusPolicyViolation, "slow client") } // within the first write
	if !tr.beginWrite() {
		t.Fatal("an open transport cannot be written to")
	}
	if err := tr.endWrite(tr.sendRest(tr.all(), frames, 4, time.Hour)); err != nil || !tr.isClosing() {
		t.Errorf("error %v", err)
	}
	eventually(t, "the close frame is written", func() bool { return !tr.isWriting() })
	if got, want := c.written.String(), "\x81\x044one\x88\x0d\x03\xf0slow client"; got != want {
		t.Errorf("wrote %q, want %q", got, want)
	}
	if tr.closeWith(1000); tr.isWriting() || tr.beginWrite() {
		t.Error("a closed transport is written to")
	}
	if err := tr.write(probeFrame.wire); !errors.Is(err, errTransportClosing) {
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
		{ForcedClose, nil, wsframe.NoCode, ""},
		{TransportClose, io.ErrUnexpectedEOF, wsframe.NoCode, ""},
		{PingTimeout, nil, wsframe.NoCode, ""},
		{SlowClient, errQueueOverflow, 1008, "slow client"},
		{SlowClient, os.ErrDeadlineExceeded, 1008, "slow client"},
		{TransportError, wsframe.Error{Code: 1009, Text: "too big"}, 1009, "too big"},
		{TransportError, errHeartbeatWay, wsframe.NoCode, ""},
		{ParseError, packet.ErrEmpty, wsframe.NoCode, ""},
	} {
		if code, text := closeCode(tt.reason, tt.err); code != tt.code || text != tt.text {
			t.Errorf("%s, %v: %d %q, want %d %q", tt.reason, tt.err, code, text, tt.code, tt.text)
		}
	}
}

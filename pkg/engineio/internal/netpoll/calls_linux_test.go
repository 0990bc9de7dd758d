//go:build linux && !race

package netpoll

import (
	"bytes"
	"testing"
)

// Whatever its length, data is sent and received whole; what is long is left to calls that the
// scheduler knows of.
func TestLongCalls(t *testing.T) {
	here, there := pair(t, "unix", t.TempDir()+"/s") // which has room for it
	_, from := Socket(here)
	raw, to := Socket(there)
	for _, tt := range []struct {
		size  int
		quick bool
	}{{1, true}, {maxRaw, true}, {maxRaw + 1, false}, {64 << 10, false}} {
		data := bytes.Repeat([]byte{byte(tt.size), 1, 2}, tt.size/3+1)[:tt.size]
		if quick(data) != tt.quick {
			t.Errorf("%d bytes: quick is %v", tt.size, !tt.quick)
		}
		if n, err := from.Send(data); n != tt.size || err != nil {
			t.Fatalf("%d bytes: sent %d, %v", tt.size, n, err)
		}
		awaitReadable(t, raw)
		got := make([]byte, tt.size+1)
		if n, again, err := to.Receive(got); n != tt.size || again || err != nil || !bytes.Equal(got[:n], data) {
			t.Errorf("%d bytes: received %d, %v, %v", tt.size, n, again, err)
		}
	}
	_ = here.Close()
	if n, _, err := to.Receive(make([]byte, 64<<10)); n != 0 || err != nil {
		t.Errorf("behind the end: %d, %v", n, err)
	}
	if n, err := to.Send(make([]byte, 64<<10)); err == nil {
		t.Errorf("sent %d bytes to nobody", n)
	}
}

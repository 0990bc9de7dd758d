package engineio

import (
	"testing"
	"unsafe"
)

// What a delivery touches of a connection and of its transport is one cache line
// each, and the allocator puts both where such a line begins.
func TestCacheLines(t *testing.T) {
	if unsafe.Sizeof(uintptr(0)) < 8 {
		t.Skip("laid out for 64 bits")
	}
	const line = 64
	var c Conn
	var w wsTransport
	for name, end := range map[string]uintptr{
		"Conn":        unsafe.Offsetof(c.sender) + unsafe.Offsetof(c.sender.text) + unsafe.Sizeof(c.sender.text),
		"wsTransport": unsafe.Offsetof(w.head) + unsafe.Sizeof(w.head),
	} {
		if end > line {
			t.Errorf("the first fields of %s end at byte %d", name, end)
		}
	}
	for name, size := range map[string]uintptr{"Conn": unsafe.Sizeof(c), "wsTransport": unsafe.Sizeof(w)} {
		// Sizes of 8 bytes less to none are of the same class of the allocator.
		if (size+line-1)/line*line-size >= 16 {
			t.Errorf("%s has %d bytes: its class of sizes is none of whole lines", name, size)
		}
	}
}

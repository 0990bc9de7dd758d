package status

import (
	"runtime"
	"testing"
)

// TestResidentMemory grows by what the process touches, and is what the report says.
func TestResidentMemory(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("not known here")
	}
	before := processNow(0).Resident
	const size = 64 << 20
	block := make([]byte, size)
	for i := 0; i < size; i += 512 {
		block[i] = 1
	}
	if after := processNow(0).Resident; before == 0 || after < before+size*3/4 || after > before+size*4 {
		t.Errorf("%d bytes, and %d with %d more", before, after, size)
	}
	runtime.KeepAlive(block)
}

package message

import "testing"

func TestMarkRoundTrip(t *testing.T) {
	for _, m := range []Mark{
		{},
		{Run: 0xffff, Sender: 0xffff, Seq: 1<<32 - 1, Micros: 1<<32 - 1},
		{Run: 0x3f2a, Sender: 7, Seq: 300, Micros: 0xa41f3e},
	} {
		var b [MarkLen + 3]byte
		m.Put(b[:])
		got, ok := ParseMark(b[:])
		if !ok || got != m {
			t.Errorf("%+v came back as %+v, %v (%s)", m, got, ok, b)
		}
	}
}

func TestMarkWire(t *testing.T) {
	var b [MarkLen]byte
	Mark{Run: 0x3f2a, Sender: 7, Seq: 0x12c, Micros: 0xa41f3e}.Put(b[:])
	// MarkByte, run, sender, sequence number, microseconds
	if want := "~" + "3f2a" + "0007" + "0000012c" + "00a41f3e"; string(b[:]) != want {
		t.Errorf("wrote %s, want %s", b, want)
	}
}

func TestParseMarkRefuses(t *testing.T) {
	good := "~3f2a00070000012c00a41f3e"
	for i := range len(good) {
		if _, ok := ParseMark([]byte(good[:i])); ok {
			t.Errorf("took the first %d bytes for a whole mark", i)
		}
		for _, c := range []byte{'g', 'A', ' ', 0x80, 0xff, '/'} {
			bad := []byte(good)
			bad[i] = c
			if _, ok := ParseMark(bad); ok {
				t.Errorf("took %q for a mark", bad)
			}
		}
	}
}

func FuzzParseMark(f *testing.F) {
	f.Add([]byte("~3f2a00070000012c00a41f3e"))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, ok := ParseMark(b)
		if !ok {
			return
		}
		var again [MarkLen]byte
		m.Put(again[:])
		if string(again[:]) != string(b[:MarkLen]) {
			t.Errorf("%q parsed, but is written %q", b[:MarkLen], again)
		}
	})
}

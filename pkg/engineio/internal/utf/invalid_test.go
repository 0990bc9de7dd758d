package utf

import (
	"testing"
	"unicode/utf8"
)

func TestIncomplete(t *testing.T) {
	for _, tt := range []struct {
		text string
		want int
	}{
		{"", 0}, {"a", 0}, {"안", 0}, {"a\xec", 1}, {"a\xec\x95", 2}, {"\xf0\x9f\x98", 3}, {"\xf0\x9f\x98\x80", 0},
		{"\xc0", 0}, {"\xed\xa0", 0}, {"\xf4\x90", 0}, {"\x80", 0}, {"\x80\x80\x80\x80", 0}, {"\xff", 0},
	} {
		if got := Incomplete([]byte(tt.text)); got != tt.want {
			t.Errorf("%q: %d, want %d", tt.text, got, tt.want)
		}
	}
}

// Wherever valid text is cut, what is before the incomplete character is valid; and no
// text that is invalid before its end becomes valid without it.
func FuzzIncomplete(f *testing.F) {
	f.Add([]byte("a안😀\xed\xa0"))
	f.Fuzz(func(t *testing.T, b []byte) {
		n := Incomplete(b)
		if n < 0 || n >= utf8.UTFMax || n > len(b) {
			t.Fatalf("%q: %d", b, n)
		}
		text := ReplaceInvalid(b)
		for cut := range len(text) + 1 {
			if part := text[:cut]; !utf8.Valid(part[:cut-Incomplete(part)]) {
				t.Errorf("%q cut at %d is taken for invalid", text, cut)
			}
		}
		if utf8.Valid(b) && n != 0 {
			t.Errorf("%q is complete", b)
		}
	})
}

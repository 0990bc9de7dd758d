package utf

import (
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"
)

var utf16Texts = []string{
	"", "a", "hello, world: seven and more", "é", "안", "😀", "a😀", "😀a", "12345678😀", "1234567안녕하세요12345678901234567890",
	"\x00\x7f\u0080\u07ff\u0800\ud7ff\ue000\uffff\U00010000\U0010ffff", strings.Repeat("é안😀z", 50),
}

func TestLen16(t *testing.T) {
	for _, s := range utf16Texts {
		if got, want := Len16([]byte(s)), len(utf16.Encode([]rune(s))); got != want {
			t.Errorf("%q: %d units, want %d", s, got, want)
		}
	}
}

// checkCut16 compares every cut of text with cutting its UTF-16 form.
func checkCut16(t *testing.T, text string) {
	t.Helper()
	units := utf16.Encode([]rune(text))
	for n := 0; n <= len(units); n++ {
		prefix := string(utf16.Decode(units[:n]))
		size, ok := Cut16([]byte(text), n)
		switch whole := strings.HasPrefix(text, prefix) && Len16([]byte(prefix)) == n; {
		case ok != whole && !strings.Contains(text, "\ufffd"): // U+FFFD also stands for the half
			t.Errorf("%q at %d: ok is %v", text, n, ok)
		case ok && text[:size] != prefix:
			t.Errorf("%q at %d: %q, want %q", text, n, text[:size], prefix)
		}
	}
	if _, ok := Cut16([]byte(text), len(units)+1); ok {
		t.Errorf("%q: a cut beyond its end is ok", text)
	}
}

func TestCut16(t *testing.T) {
	for _, s := range utf16Texts {
		checkCut16(t, s)
	}
}

func TestReplaceInvalid(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"plain 안", "plain 안"},
		{"\xff", "\ufffd"},
		{"\xe3\x81", "\ufffd"},                           // a character cut short is one
		{"\xe3\x81\xe3\x81", "\ufffd\ufffd"},             // twice
		{"\xed\xa0\x80", "\ufffd\ufffd\ufffd"},           // a surrogate is three, no byte can follow ED but 80…9F
		{"\xf0\x9f\x98a", "\ufffda"},                     // three of four
		{"\xc0\x80", "\ufffd\ufffd"},                     // overlong
		{"\xf4\x90\x80\x80", "\ufffd\ufffd\ufffd\ufffd"}, // beyond U+10FFFF
		{"\ufffd\xff", "\ufffd\ufffd"},
	} {
		if got := string(ReplaceInvalid([]byte(tt.in))); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.in, got, tt.want)
		}
	}
}

func FuzzUTF16(f *testing.F) {
	for _, s := range utf16Texts {
		f.Add(s)
	}
	f.Add("\xe3\x81\xff")
	f.Fuzz(func(t *testing.T, raw string) {
		text := string(ReplaceInvalid([]byte(raw[:min(len(raw), 200)]))) // checking every cut is quadratic
		if !utf8.ValidString(text) {
			t.Fatalf("%q stays invalid: %q", raw, text)
		}
		if got, want := Len16([]byte(text)), len(utf16.Encode([]rune(text))); got != want {
			t.Errorf("%q: %d units, want %d", text, got, want)
		}
		checkCut16(t, text)
	})
}

func BenchmarkLen16(b *testing.B) {
	for name, text := range map[string]string{"ascii": strings.Repeat("hello wo", 128), "korean": strings.Repeat("안녕하세요 ", 64)} {
		b.Run(name, func(b *testing.B) {
			data := []byte(text)
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				Len16(data)
			}
		})
	}
}

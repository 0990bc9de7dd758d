package utf

import (
	"bytes"
	"testing"
	"unicode/utf8"
)

// latin1 returns bytes as the characters of the same numbers, which in UTF-8 is bytes encoded once more.
func latin1(data []byte) []byte {
	var out []byte
	for _, b := range data {
		out = utf8.AppendRune(out, rune(b))
	}
	return out
}

func TestUndouble(t *testing.T) {
	for _, tt := range []struct {
		name, in, want string
		ok             bool
	}{
		{"안", "\xc3\xac\xc2\x95\xc2\x88", "안", true},
		{"within JSON", "2/chat,[\"m\",\"\xc3\xac\xc2\x95\xc2\x88\"]", `2/chat,["m","안"]`, true},
		{"é", "\xc3\x83\xc2\xa9", "é", true},
		{"😀", "\xc3\xb0\xc2\x9f\xc2\x98\xc2\x80", "😀", true},
		{"U+10FFFF", string(latin1([]byte("\U0010ffff"))), "\U0010ffff", true},
		{"twice undone is not thrice", string(latin1(latin1([]byte("é")))), "Ã©", true},
		{"half a pair", string(latin1([]byte("a\xed\xa0\xbdb"))), "a\ufffdb", true},
		{"ASCII", `2["m","\u0000"]`, `2["m","\u0000"]`, false},
		{"empty", "", "", false},
		{"once encoded", "안", "안", false},
		{"Latin-1, once encoded", "café", "café", false},
		{"one of two", "\xc3\x83\xc2\xa9é", "Ã©é", false},
		{"doubly encoded and beyond U+00FF", "\xc3\x83\xc2\xa9안", "Ã©안", false},
		{"cut character", "\xc3\xac\xc2\x95", "\xc3\xac\xc2\x95", false},
		{"overlong", string(latin1([]byte("\xc0\x80"))), "À\u0080", false},
		{"beyond U+10FFFF", string(latin1([]byte("\xf4\x90\x80\x80"))), "ô\u0090\u0080\u0080", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := []byte(tt.in)
			got, ok := Undouble(in)
			if ok != tt.ok || string(got) != tt.want {
				t.Errorf("got %q, %v, want %q, %v", got, ok, tt.want, tt.ok)
			}
			if string(in) != tt.in {
				t.Errorf("input changed to %q", in)
			}
		})
	}
}

func FuzzUndouble(f *testing.F) {
	for _, s := range []string{"", "a", "안", "é", "Ã©", "\xc3\xac\xc2\x95\xc2\x88", "\xed\xa0\xbd", "😀\xff"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		text := ReplaceInvalid(data)
		got, ok := Undouble(text)
		if !ok && !bytes.Equal(got, text) || !utf8.Valid(got) {
			t.Errorf("%q, %v becomes %q", text, ok, got)
		}
		if ok && !bytes.Contains(got, []byte("\ufffd")) && !bytes.Equal(latin1(got), text) {
			t.Errorf("%q was not %q encoded twice", text, got)
		}
		if IsASCII(text) {
			return
		}
		if got, ok := Undouble(latin1(text)); !ok || !bytes.Equal(got, text) {
			t.Errorf("%q comes back as %q, %v", text, got, ok)
		}
	})
}

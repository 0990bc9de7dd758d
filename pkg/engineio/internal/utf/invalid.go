package utf

import "unicode/utf8"

// ReplaceInvalid returns text unchanged if it is valid UTF-8, else a copy with U+FFFD in place of what is not.
// It replaces what Node's decoder replaces (and the Encoding Standard says): each longest run that begins a valid
// sequence counts as one, so that counting UTF-16 units afterwards agrees with what Node's parser sees.
func ReplaceInvalid(text []byte) []byte {
	if utf8.Valid(text) {
		return text
	}
	out := make([]byte, 0, len(text)+len(text)/2)
	for len(text) > 0 {
		r, width := utf8.DecodeRune(text)
		if r == utf8.RuneError && width == 1 {
			width = invalidPrefix(text)
		}
		out = utf8.AppendRune(out, r)
		text = text[width:]
	}
	return out
}

// invalidPrefix returns the length of the maximal subpart at the start of text, which does not begin with a valid
// character: the bytes that would have begun one, at least one byte.
func invalidPrefix(text []byte) int {
	lead := text[0]
	var need int
	low, high := byte(0x80), byte(0xbf) // bounds of the second byte
	switch {
	case 0xc2 <= lead && lead <= 0xdf:
		need = 1
	case 0xe0 <= lead && lead <= 0xef:
		need = 2
		if lead == 0xe0 {
			low = 0xa0
		} else if lead == 0xed {
			high = 0x9f
		}
	case 0xf0 <= lead && lead <= 0xf4:
		need = 3
		if lead == 0xf0 {
			low = 0x90
		} else if lead == 0xf4 {
			high = 0x8f
		}
	}
	n := 1
	for ; n <= need && n < len(text); n++ {
		if text[n] < low || text[n] > high {
			break
		}
		low, high = 0x80, 0xbf
	}
	return n
}

// ReplaceSurrogates returns a copy of text with U+FFFD in place of each UTF-16 surrogate that was encoded as if it
// were a character, which the clients' own UTF-8 encoder does with half a pair. ok is false if something else in
// text is not UTF-8. Both are what the parser's own UTF-8 decoder does, which is stricter than Node's.
func ReplaceSurrogates(text []byte) (_ []byte, ok bool) {
	out := make([]byte, 0, len(text))
	for len(text) > 0 {
		r, width := utf8.DecodeRune(text)
		if r == utf8.RuneError && width == 1 {
			if len(text) < 3 || text[0] != 0xed || text[1]&0xe0 != 0xa0 || text[2]&0xc0 != 0x80 {
				return nil, false
			}
			width = 3 // ED A0…BF 80…BF: U+D800 to U+DFFF
		}
		out = utf8.AppendRune(out, r)
		text = text[width:]
	}
	return out, true
}

// Incomplete returns how many bytes at the end of text begin a character that further
// bytes may complete: 0 to 3.
func Incomplete(text []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(text); n++ {
		if tail := text[len(text)-n:]; utf8.RuneStart(tail[0]) {
			if utf8.FullRune(tail) {
				return 0
			}
			return n
		}
	}
	return 0
}

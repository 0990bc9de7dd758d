package msgpack

import "unicode/utf8"

// Unescape appends the text of a validated JSON string to dst as UTF-8. UTF-8 has no form for half
// a surrogate pair, nor for bytes that were no UTF-8 to begin with: those become U+FFFD. exact is
// false when that happened to an escape, so that the text cannot be told from its result.
func Unescape(dst, text []byte) (_ []byte, exact bool) {
	exact = true
	for i := 0; i < len(text); {
		c := text[i]
		if c != '\\' {
			r, n := utf8.DecodeRune(text[i:])
			dst = utf8.AppendRune(dst, r)
			i += n
			continue
		}
		i += 2
		switch c = text[i-1]; c {
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'u':
			r, n, ok := escapedRune(text, i)
			dst, exact, i = utf8.AppendRune(dst, r), exact && ok, i+n
			continue
		}
		dst = append(dst, c)
	}
	return dst, exact
}

// escapedRune reads the hexadecimal digits of \uXXXX at i, and of the second half when they are the
// first of a surrogate pair. It returns the number of bytes read; ok is false for half a pair.
func escapedRune(text []byte, i int) (r rune, n int, ok bool) {
	r, _ = hex4(text, i)
	if r < 0xd800 || r > 0xdfff {
		return r, 4, true
	}
	if r < 0xdc00 && i+6 <= len(text) && text[i+4] == '\\' && text[i+5] == 'u' {
		if low, _ := hex4(text, i+6); low >= 0xdc00 && low <= 0xdfff {
			return (r-0xd800)<<10 + (low - 0xdc00) + 0x10000, 10, true
		}
	}
	return utf8.RuneError, 4, false
}

// hex4 reads the four hexadecimal digits of \uXXXX at i; false if they are not there.
func hex4(src []byte, i int) (rune, bool) {
	if i+4 > len(src) {
		return 0, false
	}
	var r rune
	for _, c := range src[i : i+4] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

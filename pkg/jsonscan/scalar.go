package jsonscan

// SkipSpace returns the offset of the first byte from i on that is no white space, or len(b).
func SkipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\n' || b[i] == '\r') {
		i++
	}
	return i
}

// Key consumes `"key" :`, with b[i] the opening quote, and returns where the key ends as well, behind its closing quote.
func Key(b []byte, i int) (end, next int, err error) {
	if i == len(b) {
		return i, i, ErrEnd
	}
	if b[i] != '"' {
		return i, i, ErrAt(i)
	}
	if end, err = String(b, i); err != nil {
		return end, end, err
	}
	i = SkipSpace(b, end)
	switch {
	case i == len(b):
		return end, i, ErrEnd
	case b[i] != ':':
		return end, i, ErrAt(i)
	}
	return end, i + 1, nil
}

// Scalar consumes the string, number or word that starts at b[i].
func Scalar(b []byte, i int) (int, error) {
	switch c := b[i]; {
	case c == '"':
		return String(b, i)
	case c == '-' || '0' <= c && c <= '9':
		return Number(b, i)
	case c == 't':
		return word(b, i, "true")
	case c == 'f':
		return word(b, i, "false")
	case c == 'n':
		return word(b, i, "null")
	}
	return i, ErrAt(i)
}

func word(b []byte, i int, want string) (int, error) {
	for j := range len(want) {
		if i+j == len(b) {
			return i + j, ErrEnd
		}
		if b[i+j] != want[j] {
			return i + j, ErrAt(i + j)
		}
	}
	return i + len(want), nil
}

// String consumes a string, whose opening quote is b[i].
func String(b []byte, i int) (int, error) {
	for i++; i < len(b); i++ {
		switch c := b[i]; {
		case c == '"':
			return i + 1, nil
		case c < 0x20:
			return i, ErrAt(i)
		case c == '\\':
			if i++; i == len(b) {
				return i, ErrEnd
			}
			switch b[i] {
			case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			case 'u':
				for range 4 {
					if i++; i == len(b) {
						return i, ErrEnd
					}
					if !isHex(b[i]) {
						return i, ErrAt(i)
					}
				}
			default:
				return i, ErrAt(i)
			}
		}
	}
	return i, ErrEnd
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f'
}

// Number consumes a number, which starts at b[i]:
//
//	[ "-" ] ( "0" / digit1-9 *digit ) [ "." 1*digit ] [ "e" [ sign ] 1*digit ].
func Number(b []byte, i int) (int, error) {
	if b[i] == '-' {
		i++
	}
	var err error
	if i < len(b) && b[i] == '0' {
		i++
	} else if i, err = digits(b, i); err != nil {
		return i, err
	}
	if i < len(b) && b[i] == '.' {
		if i, err = digits(b, i+1); err != nil {
			return i, err
		}
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		if i, err = digits(b, i); err != nil {
			return i, err
		}
	}
	return i, nil
}

// digits consumes one digit or more.
func digits(b []byte, i int) (int, error) {
	if i == len(b) {
		return i, ErrEnd
	}
	if b[i] < '0' || b[i] > '9' {
		return i, ErrAt(i)
	}
	for i < len(b) && '0' <= b[i] && b[i] <= '9' {
		i++
	}
	return i, nil
}

// End accepts only space in the rest of b.
func End(b []byte, i int) error {
	if i = SkipSpace(b, i); i != len(b) {
		return ErrAt(i)
	}
	return nil
}

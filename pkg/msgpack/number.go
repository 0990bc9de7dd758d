package msgpack

import (
	"math"
	"strconv"
	"time"
)

// AppendNumber writes f as JSON.stringify does (ECMAScript, Number::toString): the shortest digits
// that read back as f, in exponent form below 1e-6 and from 1e21 on, -0 as 0, and what is not
// finite as null.
func AppendNumber(b []byte, f float64) []byte {
	switch abs := math.Abs(f); {
	case f == 0:
		return append(b, '0')
	case math.IsNaN(f) || math.IsInf(f, 0):
		return append(b, "null"...)
	case abs >= 1e-6 && abs < 1e21:
		return strconv.AppendFloat(b, f, 'f', -1, 64)
	}
	b = strconv.AppendFloat(b, f, 'e', -1, 64)
	// Go pads the exponent to two digits, JavaScript does not: 1e-07.
	if n := len(b); b[n-2] == '0' && b[n-3] == '-' {
		b[n-2] = b[n-1]
		b = b[:n-1]
	}
	return b
}

// maxDateMillis is how far a JavaScript Date reaches from 1970 in both directions.
const maxDateMillis = 8_640_000_000_000_000

// AppendDate writes the moment ms milliseconds after 1970 as a JavaScript Date becomes JSON, quotes
// included.
func AppendDate(b []byte, ms float64) []byte {
	if math.IsNaN(ms) || math.Abs(ms) > maxDateMillis {
		return append(b, "null"...)
	}
	t := time.UnixMilli(int64(ms)).UTC()
	b = append(b, '"')
	switch year := t.Year(); {
	case year < 0:
		b = append(b, '-')
		b = appendPadded(b, -year, 6)
	case year > 9999:
		b = append(b, '+')
		b = appendPadded(b, year, 6)
	default:
		b = appendPadded(b, year, 4)
	}
	return t.AppendFormat(b, `-01-02T15:04:05.000Z"`)
}

func appendPadded(b []byte, n, width int) []byte {
	digits := strconv.Itoa(n)
	for range width - len(digits) {
		b = append(b, '0')
	}
	return append(b, digits...)
}

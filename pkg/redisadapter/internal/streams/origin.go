package streams

import (
	"strconv"
	"strings"
)

// maxOrigins bounds of how many instances the latest number is remembered, whatever strangers
// write.
const maxOrigins = 4096

// Origins knows how far each of our instances has been read. A publish whose outcome is unknown is
// repeated, so an entry may stand in the stream twice; and what an instance gave up before it could
// publish it is missing. Both show in the numbers. Owned by the reader.
type Origins struct {
	clock uint64
	known map[string]*origin
}

type origin struct {
	last uint64 // number read last
	used uint64 // clock of then
}

// appendStamp writes what an entry carries in the field "seq": the origin and the number.
func appendStamp(b []byte, origin string, n uint64) []byte {
	return strconv.AppendUint(append(append(b, origin...), ':'), n, 10)
}

// ReadStamp is the way back.
func ReadStamp(text string) (origin string, n uint64, ok bool) {
	i := strings.LastIndexByte(text, ':')
	if i < 1 || i > 64 {
		return "", 0, false
	}
	n, err := strconv.ParseUint(text[i+1:], 10, 64)
	return text[:i], n, err == nil && n > 0
}

// Take notes an entry. again tells that it was read before; missed is how many that should have
// come before it did not.
func (o *Origins) Take(from string, n uint64) (again bool, missed uint64) {
	o.clock++
	known := o.known[from]
	if known == nil {
		if o.known == nil {
			o.known = map[string]*origin{}
		}
		if len(o.known) >= maxOrigins {
			o.forget()
		}
		o.known[from] = &origin{last: n, used: o.clock}
		return false, 0
	}
	known.used = o.clock
	if n <= known.last {
		return true, 0
	}
	missed = n - known.last - 1
	known.last = n
	return false, missed
}

// forget drops the origin that was silent for longest.
func (o *Origins) forget() {
	oldest, used := "", o.clock
	for name, known := range o.known {
		if known.used < used {
			oldest, used = name, known.used
		}
	}
	delete(o.known, oldest)
}

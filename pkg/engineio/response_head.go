package engineio

import (
	"bytes"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

// The head of every HTTP response that the engine writes itself: beginHead, fields as
// whole lines, endHead. Bodies follow.

// beginHead appends the status line.
func beginHead(dst []byte, status int) []byte {
	dst = append(dst, "HTTP/1.1 "...)
	dst = strconv.AppendInt(dst, int64(status), 10)
	dst = append(dst, ' ')
	dst = append(dst, http.StatusText(status)...)
	return append(dst, "\r\n"...)
}

// appendFields appends the fields of h, sorted as net/http does.
func appendFields(dst []byte, h http.Header) []byte {
	if origin := h["Access-Control-Allow-Origin"]; len(h) == 1 && len(origin) == 1 && origin[0] == "*" {
		return append(dst, "Access-Control-Allow-Origin: *\r\n"...) // as a rule this is all there is
	}
	var b bytes.Buffer
	_ = h.Write(&b) // a buffer takes all; Write makes spaces of line ends
	return append(dst, b.Bytes()...)
}

// appendField appends one field, whose name and value need no escaping.
func appendField(dst []byte, name, value string) []byte {
	dst = append(dst, name...)
	dst = append(dst, ": "...)
	dst = append(dst, value...)
	return append(dst, "\r\n"...)
}

// noLength is the length of a body that is not announced.
const noLength = -1

// endHead appends the length of the body, unless that is noLength, and the end of the
// head.
func endHead(dst []byte, length int) []byte {
	if length != noLength {
		dst = append(dst, "Content-Length: "...)
		dst = strconv.AppendInt(dst, int64(length), 10)
		dst = append(dst, "\r\n"...)
	}
	return append(dst, "\r\n"...)
}

// A dateCache formats the time once a second.
type dateCache struct{ last atomic.Pointer[httpDate] }

type httpDate struct {
	second int64
	text   string
}

func (d *dateCache) text() string {
	now := time.Now()
	last := d.last.Load()
	if last == nil || last.second != now.Unix() {
		last = &httpDate{now.Unix(), now.UTC().Format(http.TimeFormat)}
		d.last.Store(last)
	}
	return last.text
}

package blankline

import (
	"bytes"
	"net/http"
)

// A scanner follows the requests that one client sends.
type scanner struct {
	state scanState
	body  int64 // bytes of the body that are still to come
	line  []byte
	first bool  // the next line is a request line
	sized bool  // the head has a Content-Length
	size  int64 // which is that
	coded bool  // the head has a Transfer-Encoding
	other bool  // what follows the head is not followed here
	twice bool  // a request had both, or two lengths: nobody knows for sure where it ends
	begun int   // requests of which something has come
}

type scanState uint8

const (
	scanBetween scanState = iota // before a request line
	scanHead                     // within a head
	scanBody                     // within a body
	scanOpaque                   // not followed any more
)

// maxLine bounds what is kept of a line: the names and values that matter are short.
const maxLine = 256

// scan follows b and removes, in place, what stands between requests. It returns what is left.
func (s *scanner) scan(b []byte) []byte {
	kept := 0
	for len(b[kept:]) > 0 && s.state != scanOpaque {
		rest := b[kept:]
		switch s.state {
		case scanBetween:
			text := bytes.TrimLeft(rest, "\r\n")
			b = b[:kept+copy(rest, text)]
			if len(text) > 0 {
				s.state, s.first, s.sized, s.size, s.coded, s.other, s.line = scanHead, true, false, 0, false, false, s.line[:0]
				s.begun++
			}
		case scanHead:
			kept += s.scanHead(rest)
		case scanBody:
			n := min(s.body, int64(len(rest)))
			s.body -= n
			kept += int(n)
			if s.body == 0 {
				s.state = scanBetween
			}
		}
	}
	return b
}

// scanHead takes one line, or a part of one, and returns its length.
func (s *scanner) scanHead(b []byte) int {
	i := bytes.IndexByte(b, '\n')
	part := b
	if i >= 0 {
		part = b[:i]
	}
	s.line = append(s.line, part[:min(len(part), max(0, maxLine-len(s.line)))]...)
	if i < 0 {
		return len(b)
	}
	s.endLine(bytes.TrimSuffix(s.line, []byte{'\r'}), len(s.line) == maxLine)
	s.line = s.line[:0]
	return i + 1
}

// endLine takes a line without its end; cut tells that some of it is missing.
func (s *scanner) endLine(line []byte, cut bool) {
	switch {
	case s.first:
		s.first = false
		method, target, _ := bytes.Cut(line, []byte{' '})
		// What begins something else than a request of the usual kind, or never gets to a handler.
		if string(method) == http.MethodConnect || string(method) == "PRI" || bytes.HasPrefix(target, []byte{'*'}) {
			s.state = scanOpaque
		}
	case len(line) == 0:
		s.endHead()
	default:
		s.field(line, cut)
	}
}

func (s *scanner) endHead() {
	s.line = nil // an idle connection keeps no buffer
	s.twice = s.twice || s.sized && s.coded
	if s.coded || s.other {
		s.state = scanOpaque
		return
	}
	if s.body = s.size; s.body > 0 {
		s.state = scanBody
		return
	}
	s.state = scanBetween
}

// field looks at a line of the head for what decides where the request ends.
func (s *scanner) field(line []byte, cut bool) {
	name, value, _ := bytes.Cut(line, []byte{':'})
	switch {
	case line[0] == ' ', line[0] == '\t', bytes.EqualFold(name, []byte("Upgrade")):
		s.other = true
	case bytes.EqualFold(name, []byte("Transfer-Encoding")):
		s.coded = true
	case bytes.EqualFold(name, []byte("Content-Length")):
		n, ok := digits(bytes.Trim(value, " \t"))
		s.other = s.other || !ok || cut || s.sized
		s.sized, s.size = true, n
	}
}

// digits reads a plain decimal number of at most 15 digits.
func digits(b []byte) (n int64, ok bool) {
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int64(c-'0')
	}
	return n, len(b) > 0 && len(b) <= 15
}

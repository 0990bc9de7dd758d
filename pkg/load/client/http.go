//go:build linux

package client

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
)

// head is what matters of an HTTP response's head.
type head struct {
	status  int
	headLen int // bytes, the blank line included
	length  int // of the body; -1 if the head does not say
	chunked bool
	close   bool // the server will close the connection
}

// parseHead reads the head of the response at the start of b; errIncomplete asks for more bytes.
func parseHead(b []byte) (head, error) {
	end := bytes.Index(b, []byte("\r\n\r\n"))
	if end < 0 {
		if len(b) > 64<<10 {
			return head{}, errors.New("the head of the server's answer does not end")
		}
		return head{}, errIncomplete
	}
	h := head{headLen: end + 4, length: -1}
	line, rest, _ := bytes.Cut(b[:end], []byte("\r\n"))
	// HTTP/1.1 200 OK
	if len(line) < 12 || !bytes.HasPrefix(line, []byte("HTTP/1.")) || line[8] != ' ' {
		return head{}, fmt.Errorf("this is no HTTP answer: %.60q", line)
	}
	status, err := strconv.Atoi(string(line[9:12]))
	if err != nil {
		return head{}, fmt.Errorf("status of the server's answer: %w", err)
	}
	h.status = status
	for len(rest) > 0 {
		line, rest, _ = bytes.Cut(rest, []byte("\r\n"))
		name, value, _ := bytes.Cut(line, []byte(":"))
		if err := h.field(name, bytes.TrimSpace(value)); err != nil {
			return head{}, err
		}
	}
	return h, nil
}

func (h *head) field(name, value []byte) error {
	switch {
	case bytes.EqualFold(name, []byte("content-length")):
		n, err := strconv.Atoi(string(value))
		if err != nil || n < 0 {
			return fmt.Errorf("Content-Length of the server's answer: %q", value)
		}
		h.length = n
	case bytes.EqualFold(name, []byte("transfer-encoding")):
		h.chunked = bytes.EqualFold(value, []byte("chunked"))
	case bytes.EqualFold(name, []byte("connection")):
		h.close = bytes.EqualFold(value, []byte("close"))
	}
	return nil
}

// parseBody gives the whole body behind head h, and how many bytes of b it took; errIncomplete asks for more.
// A body is b's own memory unless it came in chunks.
func parseBody(h head, b []byte) (body []byte, used int, err error) {
	switch {
	case h.chunked:
		return parseChunks(b)
	case h.length < 0:
		return nil, 0, errors.New("the server's answer has neither Content-Length nor chunks")
	case h.length > len(b):
		return nil, 0, errIncomplete
	}
	return b[:h.length], h.length, nil
}

// parseChunks joins the chunks of RFC 9112 section 7.1. Trailers are not expected.
func parseChunks(b []byte) (body []byte, used int, err error) {
	rest := b
	for {
		line, after, ok := bytes.Cut(rest, []byte("\r\n"))
		if !ok {
			return nil, 0, errIncomplete
		}
		size, _, _ := bytes.Cut(line, []byte(";"))
		n, err := strconv.ParseUint(string(bytes.TrimSpace(size)), 16, 31)
		if err != nil {
			return nil, 0, fmt.Errorf("size of a chunk: %w", err)
		}
		if uint64(len(after)) < n+2 {
			return nil, 0, errIncomplete
		}
		if string(after[n:n+2]) != "\r\n" {
			return nil, 0, errors.New("a chunk is not followed by a line's end")
		}
		body = append(body, after[:n]...)
		rest = after[n+2:]
		if n == 0 {
			return body, len(b) - len(rest), nil
		}
	}
}

//go:build linux

package client

import (
	"bytes"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"
)

// separator stands between the packets of a protocol 4 payload.
const separator = 0x1e

// polling carries a session's packets in the bodies of HTTP requests: one that waits, one that sends.
type polling struct {
	c       *Client
	get     exchange
	post    exchange
	poll    []byte // the request that fetches packets
	queue   []byte // a payload of packets that wait for the POST before them
	upgrade *upgrade
	closed  bool
}

func newPolling(c *Client) *polling {
	p := &polling{c: c}
	p.get = exchange{c: c, done: p.received}
	p.post = exchange{c: c, done: p.sent}
	p.poll = p.requestHead("GET", "")
	p.poll = append(p.poll, "\r\n"...)
	p.get.do(p.poll)
	return p
}

// requestHead is the head of a request, but for the blank line.
func (p *polling) requestHead(method, sid string) []byte {
	query := ""
	if sid != "" {
		query = "sid=" + sid
	}
	if p.c.group.opts.Protocol == 3 {
		query = joinQuery(query, "b64=1") // text payloads only
	}
	return fmt.Appendf(nil, "%s %s HTTP/1.1\r\nHost: %s\r\n", method, p.c.target(Polling, query), p.c.peer.Host)
}

func joinQuery(a, b string) string {
	if a == "" {
		return b
	}
	return a + "&" + b
}

func (p *polling) send(kind byte, data []byte) {
	if p.closed {
		return
	}
	if p.c.group.opts.Protocol == 3 {
		// <length in UTF-16 units>:<packet>
		p.queue = strconv.AppendInt(p.queue, int64(1+utf16Len(data)), 10)
		p.queue = append(p.queue, ':')
	} else if len(p.queue) > 0 {
		p.queue = append(p.queue, separator)
	}
	p.queue = append(append(p.queue, kind), data...)
	p.flush()
}

// flush posts what waits, unless a POST is under way or the WebSocket is about to take over.
func (p *polling) flush() {
	if len(p.queue) == 0 || p.post.busy() || p.c.sid == "" || p.upgrade.pausing() {
		return
	}
	request := p.requestHead("POST", p.c.sid)
	request = fmt.Appendf(request, "Content-Type: text/plain;charset=UTF-8\r\nContent-Length: %d\r\n\r\n", len(p.queue))
	request = append(request, p.queue...)
	p.queue = p.queue[:0]
	p.post.do(request)
}

// sent is called when a POST has been answered.
func (p *polling) sent(_ []byte, now time.Duration) {
	p.flush()
	p.upgrade.proceed(now)
}

// received is called when a GET has been answered.
func (p *polling) received(body []byte, now time.Duration) {
	first := p.c.sid == ""
	if err := p.packets(body, now); err != nil {
		p.c.fail(err)
	}
	if p.closed {
		return
	}
	if first {
		if p.c.sid == "" {
			p.c.fail(fmt.Errorf("the server's first answer is no handshake: %.80q", body))
			return
		}
		p.poll = append(p.requestHead("GET", p.c.sid), "\r\n"...)
		p.flush()
	}
	if p.upgrade.pausing() {
		p.upgrade.proceed(now)
		return
	}
	p.get.do(p.poll)
}

// packets takes a payload apart.
func (p *polling) packets(body []byte, now time.Duration) error {
	for len(body) > 0 && !p.closed {
		packet, rest, err := cutPacket(body, p.c.group.opts.Protocol)
		if err != nil {
			return err
		}
		p.c.packet(packet, now)
		body = rest
	}
	return nil
}

func (p *polling) close() {
	if p.closed {
		return
	}
	p.closed = true
	p.get.close()
	p.post.close()
	p.upgrade.abandon()
}

// cutPacket takes the first packet off a payload. Protocol 4 separates packets; protocol 3 has <length>:<packet>…,
// where the length counts UTF-16 units.
func cutPacket(body []byte, protocol int) (packet, rest []byte, err error) {
	if protocol == 4 {
		packet, rest, _ = bytes.Cut(body, []byte{separator})
		return packet, rest, nil
	}
	digits, after, ok := bytes.Cut(body, []byte(":"))
	units, convErr := strconv.Atoi(string(digits))
	if !ok || convErr != nil || units < 0 {
		return nil, nil, fmt.Errorf("length of a packet in a payload: %.20q", body)
	}
	end := 0
	for units > 0 {
		if end >= len(after) {
			return nil, nil, fmt.Errorf("the payload ends %d units before its last packet does", units)
		}
		r, size := utf8.DecodeRune(after[end:])
		end += size
		units--
		if r > 0xffff {
			units-- // a surrogate pair
		}
	}
	return after[:end], after[end:], nil
}

func utf16Len(b []byte) int {
	n := 0
	for len(b) > 0 {
		r, size := utf8.DecodeRune(b)
		b = b[size:]
		n++
		if r > 0xffff {
			n++
		}
	}
	return n
}

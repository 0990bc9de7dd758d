package message

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// The chat contract's words.
const (
	eventOut   = "msgToServer"
	eventIn    = "msgToClient"
	senderName = "chat-load"
	noticeName = "admin"
	noticeText = "join chat."
	padding    = '.'
)

// Kind says what a received Socket.IO packet is to a load run.
type Kind uint8

const (
	// Other is a packet that is no msgToClient event.
	Other Kind = iota
	// Ours is a message of this run, whole.
	Ours
	// Notice is the chat's announcement of somebody who joined.
	Notice
	// Foreign is a chat message of somebody else.
	Foreign
	// Damaged carries a mark of this run, but not the name and text that were sent with it.
	Damaged
)

// Format builds and matches the Socket.IO packets of one run. They begin with the Socket.IO packet type, as in
// `2/chat,["msgToServer",{"name":"chat-load","text":"~…"}]`; the engine's '4' in front of it is not its business.
type Format struct {
	run    uint16
	out    []byte // a whole packet to the server, its mark still empty
	markAt int    // where the mark lies in out
	before []byte // of a packet from the server: everything in front of the mark
	after  []byte // and behind it
	text   []byte // the text alone, its mark still empty
	notice []byte
}

// NewFormat prepares messages with texts of size bytes (MarkLen or more) for a namespace such as "/chat".
func NewFormat(run uint16, namespace string, size int) (*Format, error) {
	return NewFormatIn(run, InSocketIO(namespace), size)
}

// Wrapping is what stands around a message's object on the wire, to the server and from it.
type Wrapping struct{ Out, OutEnd, In, InEnd string }

// InSocketIO wraps the chat's events of a namespace.
func InSocketIO(namespace string) Wrapping {
	prefix := "2"
	if namespace != "/" {
		prefix += namespace + ","
	}
	return Wrapping{Out: prefix + `["` + eventOut + `",`, OutEnd: "]", In: prefix + `["` + eventIn + `",`, InEnd: "]"}
}

const (
	bodyHead = `{"name":"` + senderName + `","text":"`
	bodyTail = `"}`
)

// BodyLen is how long the object of a message is, without its wrapping.
func BodyLen(size int) int { return len(bodyHead) + size + len(bodyTail) }

// NewFormatIn is NewFormat for messages in another wrapping, of which those from the server must come as they are written.
func NewFormatIn(run uint16, w Wrapping, size int) (*Format, error) {
	if size < MarkLen {
		return nil, fmt.Errorf("a text of %d bytes cannot hold its mark: use %d or more", size, MarkLen)
	}
	blank := strings.Repeat(string(padding), size)
	tail := blank[MarkLen:] + bodyTail
	return &Format{
		run:    run,
		out:    []byte(w.Out + bodyHead + blank + bodyTail + w.OutEnd),
		markAt: len(w.Out + bodyHead),
		before: []byte(w.In + bodyHead),
		after:  []byte(tail + w.InEnd),
		text:   []byte(blank),
		notice: []byte(w.In + `{"name":"` + noticeName + `","text":"` + noticeText + `"}` + w.InEnd),
	}, nil
}

// Len is the length of a packet that Append adds.
func (f *Format) Len() int { return len(f.out) }

// Append adds the Socket.IO EVENT packet that carries m to dst. The run in m is ignored.
func (f *Format) Append(dst []byte, m Mark) []byte {
	m.Run = f.run
	at := len(dst) + f.markAt
	dst = append(dst, f.out...)
	m.Put(dst[at:])
	return dst
}

// Match tells what a Socket.IO packet from the server is, and its mark if it is Ours or Damaged. packet is not kept.
func (f *Format) Match(packet []byte) (Mark, Kind) {
	if len(packet) == len(f.before)+MarkLen+len(f.after) &&
		bytes.Equal(packet[:len(f.before)], f.before) &&
		bytes.Equal(packet[len(f.before)+MarkLen:], f.after) {
		if m, ok := ParseMark(packet[len(f.before):]); ok && m.Run == f.run {
			return m, Ours
		}
	}
	if bytes.Equal(packet, f.notice) {
		return Mark{}, Notice
	}
	return f.matchSlow(packet)
}

// matchSlow understands the same messages in any other JSON spelling.
func (f *Format) matchSlow(packet []byte) (Mark, Kind) {
	start := bytes.IndexByte(packet, '[')
	if start < 1 || packet[0] != '2' {
		return Mark{}, Other
	}
	var args []json.RawMessage
	if json.Unmarshal(packet[start:], &args) != nil || len(args) < 2 || string(args[0]) != `"`+eventIn+`"` {
		return Mark{}, Other
	}
	var body struct{ Name, Text string }
	if json.Unmarshal(args[1], &body) != nil {
		return Mark{}, f.ownOrForeign(packet)
	}
	if body.Name == noticeName && body.Text == noticeText {
		return Mark{}, Notice
	}
	m, ok := ParseMark([]byte(body.Text))
	switch {
	case !ok || m.Run != f.run:
		return Mark{}, f.ownOrForeign(packet)
	case body.Name != senderName || body.Text[MarkLen:] != string(f.text[MarkLen:]):
		return m, Damaged
	}
	return m, Ours
}

// ownOrForeign decides about a message without a legible mark: it was ours if it still names this run.
func (f *Format) ownOrForeign(packet []byte) Kind {
	var open [5]byte
	open[0] = MarkByte
	putHex(open[1:], uint32(f.run))
	if bytes.Contains(packet, open[:]) {
		return Damaged
	}
	return Foreign
}

package socketio

import (
	"errors"
	"fmt"
	"strconv"
	"sync"
	"unicode/utf8"
)

// maxAttachments is what no Limits.Attachments goes beyond.
const maxAttachments = 1000

var (
	errEmptyPacket   = errors.New("empty packet")
	errAttachments   = errors.New("illegal attachments")
	errTooMany       = errors.New("too many attachments")
	errPlainWaiting  = errors.New("got plaintext data when reconstructing a packet")
	errBinaryAlone   = errors.New("got binary data when not reconstructing a packet")
	errNotUTF8       = errors.New("text is not UTF-8")
	errAckID         = errors.New("illegal ack id")
	errReservedEvent = errors.New("reserved event name")
	errEventName     = errors.New("an EVENT must begin with its name")
)

// payloadError says that the JSON behind the header does not fit the packet type.
func payloadError(t PacketType, err error) error {
	return fmt.Errorf("invalid payload of %v: %w", t, err)
}

// A decoder turns the messages of one connection into packets. The grammar of a text message:
//
//	packet      = type [ attachments "-" ] [ namespace "," ] [ id ] [ json ]
//	type        = "0" … "6"               ; see PacketType
//	attachments = "1" … "10"              ; of BINARY_EVENT and BINARY_ACK, and only there; see Limits
//	namespace   = "/" *( not "," )        ; absent: "/". The comma may be missing at the end
//	id          = 1*digit                 ; below 2^64
//	json        = object                  ; CONNECT, optional
//	            / array                   ; EVENT: name first; ACK, optional
//	            / object / string         ; CONNECT_ERROR
//
// As many binary messages as attachments says follow a binary packet, and no text before them.
//
// It accepts what socket.io-parser 4.2 accepts, with these exceptions, all of which no client
// writes: an EVENT must have its array; counts and ids are plain digits; num of a placeholder is an
// integer; nesting is bounded. Whatever else comes is an error that names the offence.
//
// A decoder is not safe for concurrent use. The zero value is ready.
type decoder struct {
	nsp     string   // the last one seen: most connections use a single one
	waiting *waiting // nil unless attachments are awaited
	most    int      // attachments of a packet; 0: DefaultAttachments
}

// waiting is a binary packet whose attachments are not complete.
type waiting struct {
	packet *Packet
	need   int
	got    [][]byte
}

// packets recycles what decoding needs for the time of one dispatch.
var packets = sync.Pool{New: func() any { return new(Packet) }}

// release gives p back. Its payloads may live on, the packet and its Args must not be used again.
func (p *Packet) release() {
	clear(p.Args)
	*p = Packet{Args: p.Args[:0]}
	packets.Put(p)
}

// add takes one message and returns the packet that it completes, or nil. The packet aliases data.
func (d *decoder) add(data []byte, binary bool) (*Packet, error) {
	if binary {
		return d.addBinary(data)
	}
	if d.waiting != nil {
		return nil, errPlainWaiting
	}
	p := packets.Get().(*Packet)
	p.Nsp = d.nsp
	attachments, err := p.decode(data)
	if err == nil && attachments > or(d.most, DefaultAttachments) {
		err = errTooMany
	}
	if err != nil {
		p.release()
		return nil, err
	}
	d.nsp = p.Nsp
	if attachments == 0 {
		return p, nil
	}
	d.waiting = &waiting{packet: p, need: attachments}
	return nil, nil
}

func (d *decoder) addBinary(data []byte) (*Packet, error) {
	w := d.waiting
	if w == nil {
		return nil, errBinaryAlone
	}
	w.got = append(w.got, data)
	w.packet.size += len(data)
	if len(w.got) < w.need {
		return nil, nil
	}
	for i := range w.packet.Args {
		w.packet.Args[i].Attachments = w.got
	}
	d.waiting = nil
	return w.packet, nil
}

// decode parses a text message and returns how many attachments belong to it. p.Nsp may hold a
// guess at the namespace, which spares a copy of the name.
func (p *Packet) decode(b []byte) (attachments int, err error) {
	switch {
	case len(b) == 0:
		return 0, errEmptyPacket
	case !utf8.Valid(b):
		return 0, errNotUTF8
	case b[0] < '0' || b[0] > '6':
		return 0, fmt.Errorf("unknown packet type %q", b[0])
	}
	p.size = len(b)

	// type
	p.Type = PacketType(b[0] - '0')
	i := 1
	// attachments
	switch p.Type {
	case BinaryEvent, BinaryAck:
		if attachments, i, err = decodeAttachments(b, i); err != nil {
			return 0, err
		}
		p.Type -= BinaryEvent - Event
	}
	// namespace
	if i < len(b) && b[i] == '/' {
		start := i
		for i < len(b) && b[i] != ',' {
			i++
		}
		if name := b[start:i]; string(name) != p.Nsp {
			p.Nsp = string(name)
		}
		if i < len(b) {
			i++ // the comma
		}
	} else {
		p.Nsp = "/"
	}
	// id
	if start := i; i < len(b) && isDigit(b[i]) {
		for i < len(b) && isDigit(b[i]) {
			i++
		}
		id, err := strconv.ParseUint(string(b[start:i]), 10, 64)
		if err != nil {
			return 0, errAckID
		}
		p.ID = &id
	}
	// json
	return attachments, p.decodePayload(b[i:], attachments)
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func decodeAttachments(b []byte, i int) (n, next int, err error) {
	start := i
	for i < len(b) && isDigit(b[i]) {
		i++
	}
	if i == start || i == len(b) || b[i] != '-' || b[start] == '0' {
		return 0, i, errAttachments
	}
	n, err = strconv.Atoi(string(b[start:i]))
	if err != nil || n > maxAttachments {
		return 0, i, errTooMany
	}
	return n, i + 1, nil
}

func (p *Packet) decodePayload(b []byte, attachments int) (err error) {
	switch p.Type {
	case Event:
		return p.decodeEvent(b, attachments)
	case Ack:
		if len(b) == 0 {
			return nil // an answer without arguments
		}
		if p.Args, err = scanArray(p.Args[:0], b); err != nil {
			return payloadError(p.Type, err)
		}
		return checkPlaceholders(p.Args, attachments)
	case Disconnect:
		if len(b) != 0 {
			return payloadError(p.Type, errors.New("there must be none"))
		}
	case Connect, ConnectError:
		if len(b) == 0 {
			return nil
		}
		i := skipSpace(b, 0)
		end, err := scanValue(b, i)
		if err == nil {
			err = scanEnd(b, end)
		}
		if err != nil {
			return payloadError(p.Type, err)
		}
		if b[i] != '{' && (p.Type != ConnectError || b[i] != '"') {
			return payloadError(p.Type, errors.New("not an object"))
		}
		p.Data.JSON = b[i:end:end]
	}
	return nil
}

func (p *Packet) decodeEvent(b []byte, attachments int) (err error) {
	if p.Args, err = scanArray(p.Args[:0], b); err != nil {
		return payloadError(p.Type, err)
	}
	if len(p.Args) == 0 {
		return payloadError(p.Type, errEventName)
	}
	switch c := p.Args[0].JSON[0]; {
	case c == '-' || isDigit(c): // Node allows numbers
	case c != '"':
		return payloadError(p.Type, errEventName)
	default:
		name, plain := p.plainEvent()
		if plain && reservedEvent(string(name)) || !plain && reservedEvent(p.Event()) {
			return payloadError(p.Type, errReservedEvent)
		}
	}
	return checkPlaceholders(p.Args, attachments)
}

// checkPlaceholders looks for placeholders that name no attachment.
func checkPlaceholders(args []Payload, attachments int) error {
	if attachments == 0 {
		return nil
	}
	for _, a := range args {
		if _, err := findPlaceholders(nil, a.JSON, attachments); err != nil {
			return err
		}
	}
	return nil
}

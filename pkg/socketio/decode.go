package socketio

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"math"
	"strconv"
	"sync"
	"unicode/utf8"

	"socketio-chat/pkg/engineio"
	"socketio-chat/pkg/jsonscan"
)

var (
	errEmptyPacket   = errors.New("empty packet")
	errAttachments   = errors.New("illegal attachments")
	errTooMany       = errors.New("too many attachments")
	errArguments     = errors.New("too many arguments")
	errTooBig        = errors.New("the attachments are larger than a message may be")
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
//	id          = 1*digit                 ; white space around it is nothing, and alone it is 0
//	json        = object                  ; CONNECT, optional
//	            / array                   ; EVENT: name first, optional; ACK, optional
//	            / object / string         ; CONNECT_ERROR
//
// As many binary messages as attachments says follow a binary packet, and no text before them.
//
// It accepts what socket.io-parser 4.2 accepts, with these exceptions, all of which no client
// writes: counts and ids are plain digits; num of a placeholder is an integer, and no two placeholders
// have the same; nesting and arguments are bounded, and the parts of one packet together as one message
// is. Whatever else comes is an error that names the offence.
//
// A decoder is not safe for concurrent use. The zero value is ready, with the default limits.
type decoder struct {
	nsp     string         // the last one seen: most connections use a single one
	waiting *waiting       // nil unless attachments are awaited
	bounds  *decoderBounds // nil: the defaults
}

// decoderBounds are what one packet may have; zero fields mean the defaults.
type decoderBounds struct{ attachments, arguments, bytes int }

// waiting is a binary packet whose attachments are not complete. It holds what came as it came: parsed
// arguments are many times as large.
type waiting struct {
	text []byte
	nsp  string
	need int // attachments to come
	size int // bytes of text and all attachments so far
	got  [][]byte
	skip bool // nothing is kept, and the packet ignored when it is complete
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
	p, attachments, err := d.decode(data)
	if err != nil || attachments == 0 {
		return p, err
	}
	d.waiting = &waiting{text: data, nsp: p.Nsp, need: attachments, size: len(data)}
	p.release()
	return nil, nil
}

func (d *decoder) addBinary(data []byte) (*Packet, error) {
	w := d.waiting
	if w == nil {
		return nil, errBinaryAlone
	}
	w.need--
	if w.size += len(data); w.size > cmp.Or(d.limits().bytes, engineio.DefaultMaxPayload) {
		return nil, errTooBig
	}
	if !w.skip {
		w.got = append(w.got, data)
	}
	if w.need > 0 {
		return nil, nil
	}
	d.waiting = nil
	if w.skip {
		return nil, nil
	}
	p, _, err := d.decode(w.text)
	if err != nil { // it was found to be right when it came
		return nil, err
	}
	for i := range p.Args {
		p.Args[i].Attachments = w.got
	}
	p.size = w.size
	return p, nil
}

func (d *decoder) limits() decoderBounds {
	if d.bounds == nil {
		return decoderBounds{}
	}
	return *d.bounds
}

// skip makes the decoder forget the packet whose attachments are awaited, and those that come.
func (d *decoder) skip() {
	w := d.waiting
	w.skip, w.text, w.got = true, nil, nil
}

// keeps is how many bytes wait for the rest of their packet.
func (d *decoder) keeps() int {
	if w := d.waiting; w != nil && !w.skip {
		return w.size
	}
	return 0
}

// decode parses a text message and returns how many attachments belong to it.
func (d *decoder) decode(data []byte) (p *Packet, attachments int, err error) {
	p = packets.Get().(*Packet)
	p.Nsp = d.nsp
	attachments, err = p.decode(data, d.limits())
	if err == nil && attachments > cmp.Or(d.limits().attachments, DefaultAttachments) {
		err = errTooMany
	}
	if err != nil {
		p.release()
		return nil, 0, err
	}
	d.nsp = p.Nsp
	return p, attachments, nil
}

// decode parses a text message and returns how many attachments belong to it. p.Nsp may hold a
// guess at the namespace, which spares a copy of the name.
func (p *Packet) decode(b []byte, bounds decoderBounds) (attachments int, err error) {
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
	if i, err = p.decodeID(b, i); err != nil {
		return 0, err
	}
	// json
	return attachments, p.decodePayload(b[i:], attachments, cmp.Or(bounds.arguments, DefaultArguments))
}

// decodeID reads what JavaScript takes for a number: digits, with white space before and after them.
func (p *Packet) decodeID(b []byte, i int) (int, error) {
	start := i
	for i < len(b) && (isDigit(b[i]) || isSpace(b[i])) {
		i++
	}
	if i == start {
		return i, nil
	}
	digits := bytes.TrimLeft(bytes.TrimSpace(b[start:i]), "0")
	if bytes.ContainsFunc(digits, func(r rune) bool { return !isDigit(byte(r)) }) {
		return i, errAckID
	}
	if len(digits) == 0 {
		p.ID = new(uint64)
		return i, nil
	}
	var id uint64 = math.MaxUint64
	var err error
	if len(digits) <= len("18446744073709551615") {
		id, err = strconv.ParseUint(string(digits), 10, 64)
	}
	if p.ID = &id; err != nil || len(digits) > len("18446744073709551615") {
		p.longID = digits // it is answered as it came, and nobody here waits for it
	}
	return i, nil
}

func isSpace(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }

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
	if err != nil || n > jsonscan.MaxAttachments {
		return 0, i, errTooMany
	}
	return n, i + 1, nil
}

func (p *Packet) decodePayload(b []byte, attachments, arguments int) (err error) {
	switch p.Type {
	case Event:
		return p.decodeEvent(b, attachments, arguments)
	case Ack:
		if len(b) == 0 {
			return nil // an answer without arguments
		}
		if p.Args, err = splitArray(p.Args[:0], b, arguments); err != nil {
			return payloadError(p.Type, err)
		}
		return checkPlaceholders(b, attachments)
	case Disconnect:
		if len(b) != 0 {
			return payloadError(p.Type, errors.New("there must be none"))
		}
	case Connect, ConnectError:
		if len(b) == 0 {
			return nil
		}
		i := jsonscan.SkipSpace(b, 0)
		end, err := jsonscan.Value(b, i)
		if err == nil {
			err = jsonscan.End(b, end)
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

func (p *Packet) decodeEvent(b []byte, attachments, arguments int) (err error) {
	if len(b) == 0 {
		return nil // an event without a name; dispatch ignores it, as Node does
	}
	if p.Args, err = splitArray(p.Args[:0], b, arguments+1); err != nil {
		return payloadError(p.Type, err)
	}
	if len(p.Args) == 0 {
		return payloadError(p.Type, errEventName)
	}
	if err := p.checkName(); err != nil {
		return err
	}
	return checkPlaceholders(b, attachments)
}

// checkName tells whether the first argument of an EVENT may be its name.
func (p *Packet) checkName() error {
	switch c := p.Args[0].JSON[0]; {
	case c == '-' || isDigit(c): // Node allows numbers
	case c != '"':
		return payloadError(p.Type, errEventName)
	default:
		name, plain := p.plainEvent()
		if plain && jsonscan.ReservedEvent(string(name)) || !plain && jsonscan.ReservedEvent(p.Event()) {
			return payloadError(p.Type, errReservedEvent)
		}
	}
	return nil
}

// splitArray appends the elements of the array b to dst, at most so many.
func splitArray(dst []Payload, b []byte, most int) ([]Payload, error) {
	err := jsonscan.Elements(b, func(start, end int) error {
		if len(dst) == most {
			return errArguments
		}
		dst = append(dst, Payload{JSON: b[start:end:end]})
		return nil
	})
	return dst, err
}

// checkPlaceholders looks for placeholders that name no attachment, or one that has a place already.
func checkPlaceholders(b []byte, attachments int) error {
	if attachments == 0 {
		return nil
	}
	_, err := jsonscan.Placeholders(nil, b, attachments)
	return err
}

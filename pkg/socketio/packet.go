package socketio

import (
	"strconv"
	"strings"

	"socketio-chat/pkg/jsonscan"
)

// A PacketType is the first byte of a packet, as a number.
type PacketType uint8

// The packets of Socket.IO protocols 4 and 5, and who sends them when:
//
//	client  CONNECT        join a namespace (protocol 4: the server joins "/" unasked)
//	server  CONNECT        joined; protocol 5 adds {"sid":…}
//	server  CONNECT_ERROR  refused
//	both    EVENT          BINARY_EVENT when attachments follow
//	both    ACK            BINARY_ACK when attachments follow; answers an event with an id
//	both    DISCONNECT     leave the namespace
const (
	Connect PacketType = iota
	Disconnect
	Event
	Ack
	ConnectError
	BinaryEvent
	BinaryAck
)

var packetNames = [...]string{"CONNECT", "DISCONNECT", "EVENT", "ACK", "CONNECT_ERROR", "BINARY_EVENT", "BINARY_ACK"}

func (t PacketType) String() string {
	if int(t) < len(packetNames) {
		return packetNames[t]
	}
	return "unknown packet type " + strconv.Itoa(int(t))
}

// A Packet is what one or, with attachments, several messages of a client said.
type Packet struct {
	Type PacketType // never a binary type: attachments are in the payloads
	// Nsp is the namespace, "/…". Protocol 4 may have a query behind it, see Query.
	Nsp string
	// Query is what followed "?" in the namespace of protocol 4, undecoded.
	Query string
	ID    *uint64
	// Args are the elements of an EVENT (the first is its name) or ACK. An EVENT without any has no
	// meaning.
	Args []Payload
	// Data is the payload of a CONNECT or CONNECT_ERROR; zero without one.
	Data Payload

	longID []byte   // the digits of an ID beyond 2^64; ID is then the largest there is
	size   int      // bytes it came in
	event  incoming // room for it while an EVENT is dispatched
}

// Event returns the name of an EVENT.
func (p *Packet) Event() string {
	name, plain := p.plainEvent()
	if plain {
		return string(name)
	}
	b := p.Args[0].JSON
	if b[0] == '"' {
		return jsonscan.Unquote(b)
	}
	// A number, which Node turns into a property name.
	f, err := strconv.ParseFloat(string(b), 64)
	if err != nil {
		return string(b)
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// plainEvent returns the name without a copy if it is a string without escapes.
func (p *Packet) plainEvent() ([]byte, bool) {
	b := p.Args[0].JSON
	if b[0] != '"' {
		return nil, false
	}
	return jsonscan.Plain(b)
}

// splitQuery cuts "/chat?a=b" in two. It is protocol 4 only: in protocol 5 "?" is part of the name.
func splitQuery(nsp string) (path, query string) {
	path, query, _ = strings.Cut(strings.TrimSpace(nsp), "?") // Node parses it as a URL, which trims it
	return path, query
}

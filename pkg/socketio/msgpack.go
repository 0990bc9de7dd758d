package socketio

// Parser says how a server and its clients write packets: as text with attachments, socket.io-parser's way, or as
// MessagePack, that of clients built with socket.io-msgpack-parser.
//
// A client of protocol 5 tells by its first packet, which is binary only with the latter: no other parser begins
// with a binary message. To a client of protocol 4 the server speaks first; what that one speaks has to be known.
//
// Inside the server, in the journal and in Redis packets are the same whichever parser their sender has. A [Payload]
// that came as MessagePack goes to clients that speak it as it came, dates and numbers that are none in JSON included;
// other clients, other instances, and clients that missed it and come back get what JSON.stringify makes of it.
type Parser string

const (
	// ParserAuto, the default, lets clients of protocol 5 choose, and speaks JSON to those of protocol 4.
	ParserAuto Parser = "auto"
	// ParserJSON refuses MessagePack.
	ParserJSON Parser = "json"
	// ParserMsgPack lets clients of protocol 5 choose, and speaks MessagePack to those of protocol 4.
	ParserMsgPack Parser = "msgpack"
)

// chooseParser is called with each message before it is decoded; the first one decides.
func (c *conn) chooseParser(binary bool) {
	if c.chosen {
		return
	}
	c.chosen = true
	c.msgpack = binary && c.server.opts.Parser != ParserJSON
}

// decode takes one message and returns the packet that it completes, or nil.
func (c *conn) decode(data []byte, binary bool) (*Packet, error) {
	if c.msgpack {
		return decodeMsgPack(data, binary, c.Protocol(), c.server.limits.decoder)
	}
	return c.decoder.add(data, binary)
}

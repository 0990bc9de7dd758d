package socketio

import (
	"bytes"

	"socketio-chat/pkg/engineio"
)

// learnGeneration looks at a text message of a protocol 3 client before it is decoded. The CONNECT
// packet of a namespace tells 1.x from 2.x clients:
//
//	40/chat,      2.x and later; 40/chat?username=kim,
//	40/chat       1.x;           40/chat?username=kim
//
// The engine has to know, since 1.x clients encode polling text to UTF-8 twice. That first packet
// itself came before it knew.
func (c *conn) learnGeneration(data []byte) []byte {
	if c.Protocol() != 3 || !bytes.HasPrefix(data, []byte("0/")) {
		return data
	}
	first := !bytes.HasSuffix(data, []byte(","))
	c.eio.SetDoubleUTF8(first)
	if first && c.eio.Transport() == engineio.Polling {
		return engineio.UndoubleUTF8(data)
	}
	return data
}

package history

import (
	"bytes"
	"context"
	"slices"
	"time"

	"socketio-chat/pkg/socketio"
)

// Limits bound what is kept. All must be positive.
type Limits struct {
	Count int           // messages of each room
	Bytes int64         // of all rooms
	Age   time.Duration // of a message
}

// A Message is what was said in a room.
type Message struct {
	ID      ID     // set when it is kept
	Room    string // "": the lobby
	From    string // the name of its sender, if that is known for certain
	Once    string // a key: of messages with one key a Redis keeps one, for 10 minutes; "": none
	Payload socketio.Payload
}

// size is about how many bytes it takes to keep m.
func (m *Message) size() int64 {
	n := messageOverhead + len(m.Payload.JSON) + len(m.From)
	for _, b := range m.Payload.Attachments {
		n += len(b) + attachmentOverhead
	}
	return int64(n)
}

// kept tells whether the message is for the history, and not its key alone; see [Shared].
func (m *Message) kept() bool { return len(m.Payload.JSON) > 0 }

// own is a copy of a payload that holds no more than the payload: what a client sent at once may be one buffer.
func own(p socketio.Payload) socketio.Payload {
	p.Packed = nil
	p.JSON = bytes.Clone(p.JSON)
	p.Attachments = slices.Clone(p.Attachments)
	for i, b := range p.Attachments {
		p.Attachments[i] = bytes.Clone(b)
	}
	return p
}

// What a message and an attachment take beside their bytes.
const (
	messageOverhead    = 160
	attachmentOverhead = 32
)

// A Receipt tells what came of an Append.
type Receipt struct {
	ID   ID
	Kept bool // it is in the history now
}

// A Query asks for a page of a room. Before and After are ids, at most one of them is set; neither: the newest messages.
type Query struct {
	Room          string
	Before, After ID
	Limit         int
}

// A Page is a part of a room's messages, oldest first.
type Page struct {
	Messages []Message
	More     bool // there are more: older ones, or newer ones for a Query with After
	Gap      bool // the message After is not kept any more: some may be missing
	Partial  bool // where messages are kept is not reached; this is what is known here
}

// A Store keeps messages.
type Store interface {
	// Append keeps a message. done, which may be nil, is called once, perhaps before Append returns; it must not block.
	Append(m Message, done func(Receipt))
	// Page answers a query.
	Page(ctx context.Context, q Query) (Page, error)
	// Close waits until what was appended is kept, as long as ctx allows. It may be called again.
	Close(ctx context.Context) error
}

// Shared is a Store of several instances.
type Shared interface {
	Store
	// Hear tells of a message that a server which keeps nothing has sent to the lobby; see [Redis.Hear].
	Hear(p socketio.Payload)
	// Claim and Await tell whether a message that a client may have sent before is to be sent; Settle that one was, and is not kept. See [Redis.Claim].
	Claim(ctx context.Context, key string) (Claimed, error)
	Await(key string) (Claimed, error)
	Settle(key string)
}

var _ Shared = (*Redis)(nil)

// The bounds of one page, besides its Limit. A client's parser gives up a packet with more attachments than it expects, by default as many as
// one message may have; bytes wait in the client's queue.
const (
	pageBytes       = 256 << 10
	pageAttachments = socketio.DefaultAttachments
)

// cut takes from list, oldest first, as many messages as make a page: the last ones, or the first if first is set. It tells whether that left
// some out. One message is a page however large it is.
func cut(list []Message, limit int, first bool) (page []Message, more bool) {
	bytes, attachments := 0, 0
	for n := range list {
		m := &list[n]
		if !first {
			m = &list[len(list)-1-n]
		}
		bytes += int(m.size())
		attachments += len(m.Payload.Attachments)
		if n == limit || n > 0 && (bytes > pageBytes || attachments > pageAttachments) {
			if first {
				return list[:n], true
			}
			return list[len(list)-n:], true
		}
	}
	return list, false
}

package chat

import "socketio-chat/pkg/socketio"

// The events that a client asks for, each with an acknowledgement; PROTOCOL.md describes them. On the wire, beside those of the seed.
const (
	EventFeatures = "features"
	EventHistory  = "history"
	EventSend     = "send"
)

// Version is of the protocol that Features describes.
const Version = 1

// Features tells what this server offers.
type Features struct {
	History  *HistoryFeature `json:"history"` // null: nothing is kept
	Presence bool            `json:"presence"`
	Typing   bool            `json:"typing"`
	Rooms    bool            `json:"rooms"`
	Private  bool            `json:"private"`
	Name     *string         `json:"name"` // from the token; null without one
	Version  int             `json:"version"`
	Now      int64           `json:"now"` // the server's clock, ms since 1970
}

// HistoryFeature is how much is kept of each room.
type HistoryFeature struct {
	Limit int `json:"limit"` // messages
	Hours int `json:"hours"`
}

// HistoryRequest asks for a page of a room's messages: the newest, or those before or after an id.
type HistoryRequest struct {
	Room   string `json:"room,omitempty"`
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
	Limit  int    `json:"limit,omitempty"` // 0: 50
}

// HistoryAnswer is such a page, oldest first.
type HistoryAnswer struct {
	Messages []KeptMessage `json:"messages"`
	More     bool          `json:"more"`
	Gap      bool          `json:"gap,omitempty"`     // the message after is not kept any more
	Partial  bool          `json:"partial,omitempty"` // Redis is away; this is what is known here
	Now      int64         `json:"now"`
}

// KeptMessage is a message as it was relayed.
type KeptMessage struct {
	ID      string           `json:"id"`
	Time    int64            `json:"time"` // ms since 1970
	Payload socketio.Payload `json:"payload"`
	From    string           `json:"from,omitempty"` // from the token of who sent it
	Room    string           `json:"room,omitempty"`
}

// SendRequest is a message to the lobby, a room or a person.
type SendRequest struct {
	Payload socketio.Payload `json:"payload"`
	Room    string           `json:"room,omitempty"`
	To      string           `json:"to,omitempty"`
	ID      string           `json:"id,omitempty"` // the client's own, at most 64 characters: relayed once
}

// Sent acknowledges a message.
type Sent struct {
	ID        *string `json:"id"`   // in the history; null if it is not there
	Time      int64   `json:"time"` // ms since 1970
	Duplicate bool    `json:"duplicate,omitempty"`
	Kept      bool    `json:"kept"` // it is in the history now
}

// RoomMessage is the second argument of a message to a room.
type RoomMessage struct {
	Room string `json:"room"`
	ID   string `json:"id,omitempty"`
	Time int64  `json:"time,omitempty"`
	From string `json:"from,omitempty"`
}

// wire is what the answer is encoded from: payloads stay as they are, and what is binary becomes attachments.
func (a HistoryAnswer) wire() any {
	list := make([]any, len(a.Messages))
	for i, m := range a.Messages {
		list[i] = m.wire()
	}
	w := map[string]any{"messages": list, "more": a.More, "now": int(a.Now)}
	if a.Gap {
		w["gap"] = true
	}
	if a.Partial {
		w["partial"] = true
	}
	return w
}

func (m KeptMessage) wire() any {
	w := map[string]any{"id": m.ID, "time": int(m.Time), "payload": m.Payload}
	if m.From != "" {
		w["from"] = m.From
	}
	if m.Room != "" {
		w["room"] = m.Room
	}
	return w
}

package chat

import "socketio-chat/pkg/socketio"

// The events that a client asks for, each with an acknowledgement; PROTOCOL.md describes them. On the wire, beside those of the seed.
const (
	EventFeatures = "features"
	EventHistory  = "history"
	EventSend     = "send"
	EventJoin     = "join"
	EventLeave    = "leave"
	EventRooms    = "rooms"
	EventPresence = "presence"
	EventWatch    = "presence:watch"
	EventChange   = "presence:change"
	EventTyping   = "typing"
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
	From    string           `json:"from,omitempty"` // from the token of its sender
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

// PrivateMessage is the second argument of a message to a person.
type PrivateMessage struct {
	Private bool   `json:"private"`
	From    string `json:"from"`
	To      string `json:"to"`
	Time    int64  `json:"time"`
}

// RoomRequest names a room.
type RoomRequest struct {
	Room string `json:"room"`
}

// RoomsAnswer lists the rooms that the client is in.
type RoomsAnswer struct {
	Rooms []RoomEntry `json:"rooms"`
}

// RoomEntry is one of them.
type RoomEntry struct {
	Room   string `json:"room"`
	Joined bool   `json:"joined"`
	Count  int    `json:"count,omitempty"` // connections, if presence is on
}

// PresenceRequest asks who is in a room, "": in the chat.
type PresenceRequest struct {
	Room string `json:"room,omitempty"`
}

// WatchRequest begins or ends to watch who comes and goes.
type WatchRequest struct {
	Room  string `json:"room,omitempty"`
	Watch *bool  `json:"watch,omitempty"` // absent: true
}

// TypingRequest tells that the client's user types, to a room or a person.
type TypingRequest struct {
	Room string `json:"room,omitempty"`
	To   string `json:"to,omitempty"`
	Name string `json:"name,omitempty"` // without tokens
}

// Typing is what others get of it.
type Typing struct {
	Room    string `json:"room,omitempty"`
	Private bool   `json:"private,omitempty"`
	From    string `json:"from,omitempty"` // of a private one
	Name    string `json:"name"`
	For     int64  `json:"for"` // ms, if nothing comes that ends or renews it
}

// Done acknowledges what needs no other answer.
type Done struct {
	OK bool `json:"ok"`
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

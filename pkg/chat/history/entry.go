package history

import (
	"errors"
	"fmt"
	"log/slog"
	"unicode/utf8"

	"socketio-chat/pkg/jsonscan"
	"socketio-chat/pkg/socketio"
)

var errEntry = errors.New("history: an entry of the stream is not as it should be")

// nothing stands in place of what is no message: an entry that somebody else wrote has a place in its room all the same.
var nothing = []byte("null")

// readEntries reads what XRANGE answers: a list of entries, each an id and a list of fields. A reader of maps would lose repeated fields.
func (s *Redis) readEntries(room string, answer any) (list []Message, foreign []bool, err error) {
	entries, ok := answer.([]any)
	if !ok && answer != nil {
		return nil, nil, errEntry
	}
	for _, e := range entries {
		pair, ok := e.([]any)
		if !ok || len(pair) != 2 {
			return nil, nil, errEntry
		}
		m, other, err := readEntry(pair[0], pair[1], s.most)
		if err != nil {
			return nil, nil, err
		}
		if why := unfit(m.Payload); why != "" {
			s.log.Warn("entry", "an entry of the history in Redis is no message and is shown as null",
				slog.String("key", stream(room)), slog.String("id", redisID(m.ID)), slog.String("reason", why))
			m.Payload = socketio.Payload{JSON: nothing}
		}
		m.Room = room
		list, foreign = append(list, m), append(foreign, other)
	}
	return list, foreign, nil
}

// unfit tells why a payload must not be sent to clients: their parsers would give up the connection.
func unfit(p socketio.Payload) string {
	if p.JSON == nil {
		return "it has no payload, or is too large"
	}
	end, err := jsonscan.Value(p.JSON, jsonscan.SkipSpace(p.JSON, 0))
	if err == nil {
		err = jsonscan.End(p.JSON, end)
	}
	if err == nil && len(p.Attachments) > 0 {
		_, err = jsonscan.Placeholders(nil, p.JSON, len(p.Attachments))
	}
	switch {
	case err != nil:
		return err.Error()
	case !utf8.Valid(p.JSON):
		return "its payload is not UTF-8"
	}
	return ""
}

func readEntry(id, fields any, most int) (m Message, foreign bool, err error) {
	text, _ := id.(string)
	if m.ID, err = ParseID(text); err != nil {
		return m, false, fmt.Errorf("%w: %q", errEntry, text)
	}
	list, ok := fields.([]any)
	if !ok || len(list)%2 != 0 {
		return m, false, errEntry
	}
	size := 0
	for i := 0; i < len(list); i += 2 {
		name, _ := list[i].(string)
		value, ok := list[i+1].(string)
		if !ok {
			return m, false, errEntry
		}
		if size += len(value); size > most {
			return Message{ID: m.ID}, false, nil
		}
		switch name {
		case "p":
			m.Payload.JSON = []byte(value)
		case "b":
			m.Payload.Attachments = append(m.Payload.Attachments, []byte(value))
		case "f":
			m.From = value
		case "o":
			foreign = true
		}
	}
	return m, foreign, nil
}

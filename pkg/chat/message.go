package chat

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"socketio-chat/pkg/socketio"
)

// Strict demands messages that are objects with a string name and a string text, as a
// ValidationPipe in a NestJS gateway does:
//
//	class Message {
//	  @IsString() @MaxLength(name) name: string;
//	  @IsString() @MaxLength(text) text: string;
//	}
//
// Further members are let through. What is refused is answered as On of package socketio says; the
// message lists what is wrong, in the words of class-validator.
type Strict struct {
	// NameLength and TextLength are the most characters (code points) of the two; 0: any number.
	NameLength, TextLength int
}

// Stats counts what happened to messages since the gateway was made.
type Stats struct {
	RefusedInvalid uint64 // not as Strict demands
	RefusedUnnamed uint64 // Options.NameOf is set, and the message cannot hold a name or the sender has none
	NamesReplaced  uint64 // messages that claimed to be of somebody else, sent on with the sender's own name
}

type stats struct{ refusedInvalid, refusedUnnamed, namesReplaced atomic.Uint64 }

// Stats returns the counters.
func (g *Gateway) Stats() Stats {
	return Stats{g.stats.refusedInvalid.Load(), g.stats.refusedUnnamed.Load(), g.stats.namesReplaced.Load()}
}

// refuse counts, and tells the log of, a message that is not sent on.
func (g *Gateway) refuse(counter *atomic.Uint64, key, message string) error {
	counter.Add(1)
	g.sparing.Warn(key, "a message was refused", slog.String("reason", message))
	return &socketio.Exception{Message: message}
}

// problems lists what Strict does not allow. Of a name that comes twice every value has to be right:
// receivers may read either.
func (s Strict) problems(message socketio.Payload) string {
	list := []string{"name must be a string", "text must be a string"}
	lengths := []int{s.NameLength, s.TextLength}
	members, _ := message.Members()
	seen := [2]bool{}
	for m := range members {
		i := slices.Index([]string{"name", "text"}, m.Name)
		if i < 0 {
			continue
		}
		problem := stringProblem(m, lengths[i])
		if !seen[i] || problem != "" {
			list[i] = problem
		}
		seen[i] = true
	}
	return strings.Join(slices.DeleteFunc(list, func(s string) bool { return s == "" }), ", ")
}

func stringProblem(m socketio.Member, length int) string {
	if m.Value[0] != '"' {
		return m.Name + " must be a string"
	}
	if length > 0 && len(m.Value)-2 > length && characters(m.Value) > length {
		return fmt.Sprintf("%s must be shorter than or equal to %d characters", m.Name, length)
	}
	return ""
}

// characters counts the characters of a JSON string.
func characters(value []byte) int {
	var text string
	if err := json.Unmarshal(value, &text); err != nil { // the payload was found to be valid
		return len(value)
	}
	return utf8.RuneCountInString(text)
}

// named puts the sender's own name into a message, in place of whatever it claims. The rest stays
// as it is, byte for byte. It reports whether the message claimed another name, and ok is false for
// a message that is no object and cannot hold one.
func named(message socketio.Payload, name string) (_ socketio.Payload, claimed, ok bool) {
	members, ok := message.Members()
	if !ok {
		return message, false, false
	}
	value := quote(name)
	var out []byte
	last, empty := 0, true
	for m := range members {
		empty = false
		if m.Name != "name" {
			continue
		}
		claimed = claimed || !bytes.Equal(m.Value, value)
		out = append(append(out, message.JSON[last:m.Start]...), value...)
		last = m.Start + len(m.Value)
	}
	if last == 0 { // nobody claimed
		last = bytes.IndexByte(message.JSON, '{') + 1
		out = append(append(append(out, message.JSON[:last]...), `"name":`...), value...)
		if !empty {
			out = append(out, ',')
		}
	}
	return socketio.Payload{JSON: append(out, message.JSON[last:]...), Attachments: message.Attachments}, claimed, true
}

// quote writes a JSON string as JSON.stringify does, <, > and & as they are.
func quote(text string) []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text) // a string always encodes
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

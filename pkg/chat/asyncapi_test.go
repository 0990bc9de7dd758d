package chat

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"socketio-chat/pkg/chat/presence"
	"socketio-chat/pkg/socketio"
)

var update = flag.Bool("update", false, "write asyncapi.yaml")

const asyncAPIFile = "asyncapi.yaml"

// described is an event: what it carries, and what it is acknowledged with, nil: nothing.
type described struct {
	name, summary string
	arguments     []any
	answer        any
}

// fromClient and fromServer are all events of the namespace, as their handlers are typed.
var (
	fromClient = []described{
		{MsgToServer, "A message to everybody, or to the room named by the second argument.", []any{socketio.Payload{}}, Sent{}},
		{EventFeatures, "What the server offers.", []any{struct{}{}}, Features{}},
		{EventHistory, "A page of what was said.", []any{HistoryRequest{}}, HistoryAnswer{}},
		{EventSend, "A message that is acknowledged, and relayed once if it has an id.", []any{SendRequest{}}, Sent{}},
		{EventJoin, "Joins a room.", []any{RoomRequest{}}, RoomRequest{}},
		{EventLeave, "Leaves a room.", []any{RoomRequest{}}, RoomRequest{}},
		{EventRooms, "The rooms that this connection is in.", []any{struct{}{}}, RoomsAnswer{}},
		{EventPresence, "Who is in a room.", []any{PresenceRequest{}}, presence.Snapshot{}},
		{EventWatch, "Who is in a room, and from then on who comes and goes.", []any{WatchRequest{}}, presence.Snapshot{}},
		{EventTyping, "The user types.", []any{TypingRequest{}}, Done{}},
	}
	fromServer = []described{
		{MsgToClient, "A message. One to a room or a person has a second argument.", []any{socketio.Payload{}}, nil},
		{EventChange, "Who came and went, for those who watch.", []any{presence.Change{}}, nil},
		{EventTyping, "Somebody types, for those who watch.", []any{Typing{}}, nil},
	}
	others = []any{RoomMessage{}, PrivateMessage{}, failed{}}
)

// TestAsyncAPI compares the document with the types; with -update it writes it.
func TestAsyncAPI(t *testing.T) {
	got := asyncAPI()
	if *update {
		if err := os.WriteFile(asyncAPIFile, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(asyncAPIFile)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != got {
		t.Errorf("%s does not describe the types of events.go: go test ./pkg/chat -run AsyncAPI -update", asyncAPIFile)
	}
	protocol, err := os.ReadFile("PROTOCOL.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range slices.Concat(fromClient, fromServer) {
		if !strings.Contains(string(protocol), "`"+e.name) {
			t.Errorf("PROTOCOL.md does not mention %s", e.name)
		}
	}
}

// asyncAPI writes the document.
func asyncAPI() string {
	w := &writer{schemas: map[string]reflect.Type{}}
	w.line(0, "# Made from the types of pkg/chat by go test ./pkg/chat -run AsyncAPI -update; PROTOCOL.md tells the rest.")
	w.line(0, "asyncapi: 3.0.0")
	w.line(0, "info:")
	w.line(1, "title: The chat's own protocol")
	w.line(1, "version: %d.0.0", Version)
	w.line(1, "description: Socket.IO events of the namespace %s. Each answer is an acknowledgement; what cannot be done is answered with Failed.", Namespace)
	w.line(0, "channels:")
	w.line(1, "chat:")
	w.line(2, "address: %s", Namespace)
	w.line(2, "messages:")
	for _, e := range slices.Concat(fromClient, fromServer) {
		w.message(e)
	}
	w.line(0, "operations:")
	w.operations("receive", fromClient)
	w.operations("send", fromServer)
	w.line(0, "components:")
	w.line(1, "schemas:")
	for _, v := range others {
		w.reference(reflect.TypeOf(v))
	}
	for done := map[string]bool{}; len(done) < len(w.schemas); {
		for _, name := range slices.Sorted(maps.Keys(w.schemas)) {
			if !done[name] {
				done[name] = true
				w.schema(name, w.schemas[name])
			}
		}
	}
	return w.String()
}

type writer struct {
	strings.Builder
	schemas map[string]reflect.Type
	written map[string]bool
}

func (w *writer) line(depth int, format string, args ...any) {
	fmt.Fprintf(w, "%s%s\n", strings.Repeat("  ", depth), fmt.Sprintf(format, args...))
}

func key(name string) string { return strings.ReplaceAll(name, ":", "-") }

// message writes an event once, and its answer.
func (w *writer) message(e described) {
	if w.written == nil {
		w.written = map[string]bool{}
	}
	name := key(e.name)
	if w.written[name] {
		name += "-told"
	}
	w.written[name] = true
	w.line(3, "%s:", name)
	w.line(4, "name: %q", e.name)
	w.line(4, "summary: %s", e.summary)
	w.line(4, "payload: %s", w.reference(reflect.TypeOf(e.arguments[0])))
	if e.answer != nil {
		w.line(3, "%s-answer:", name)
		w.line(4, "payload: {oneOf: [%s, %s]}", w.reference(reflect.TypeOf(e.answer)), w.reference(reflect.TypeOf(failed{})))
	}
}

func (w *writer) operations(action string, list []described) {
	for _, e := range list {
		name := key(e.name)
		if action == "send" && w.written[name+"-told"] {
			name += "-told"
		}
		w.line(1, "%s:", name)
		w.line(2, "action: %s", action)
		w.line(2, "channel: {$ref: '#/channels/chat'}")
		w.line(2, "messages: [{$ref: '#/channels/chat/messages/%s'}]", name)
		if e.answer != nil {
			w.line(2, "reply:")
			w.line(3, "channel: {$ref: '#/channels/chat'}")
			w.line(3, "messages: [{$ref: '#/channels/chat/messages/%s-answer'}]", name)
		}
	}
}

// reference is the schema of a type: in its place, or where schemas are.
func (w *writer) reference(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer:
		return fmt.Sprintf("{oneOf: [%s, {type: 'null'}]}", w.reference(t.Elem()))
	case reflect.Slice:
		return fmt.Sprintf("{type: array, items: %s}", w.reference(t.Elem()))
	case reflect.String:
		return "{type: string}"
	case reflect.Bool:
		return "{type: boolean}"
	case reflect.Int, reflect.Int64:
		return "{type: integer}"
	}
	switch {
	case t == reflect.TypeFor[socketio.Payload]():
		return "{description: any JSON value or binary}"
	case t.NumField() == 0:
		return "{type: object}"
	}
	name := strings.ToUpper(t.Name()[:1]) + t.Name()[1:]
	w.schemas[name] = t
	return "{$ref: '#/components/schemas/" + name + "'}"
}

func (w *writer) schema(name string, t reflect.Type) {
	w.line(2, "%s:", name)
	w.line(3, "type: object")
	var required []string
	w.line(3, "properties:")
	for i := range t.NumField() {
		field, options, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		w.line(4, "%s: %s", field, w.reference(t.Field(i).Type))
		if options != "omitempty" {
			required = append(required, field)
		}
	}
	if required != nil {
		w.line(3, "required: [%s]", strings.Join(required, ", "))
	}
}

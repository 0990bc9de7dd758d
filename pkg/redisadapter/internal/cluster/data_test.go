package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	rtypes "github.com/zishang520/socket.io-go-redis/types"
	"github.com/zishang520/socket.io/v2/adapter"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/redisadapter/internal/wire"
)

// members are the parts of a message's data, as JSON.
type members map[string]string

func (m members) text() string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, fmt.Sprintf("%q:%s", name, m[name]))
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// without is m with one member less, with one changed.
func (m members) without(name string) members {
	out := maps.Clone(m)
	delete(out, name)
	return out
}

func (m members) with(name, value string) members {
	out := maps.Clone(m)
	out[name] = value
	return out
}

// read reads a message of you, at me.
func read(typ adapter.MessageType, data string) (wire.Received, error) {
	m := Message{Type: typ, UID: "you", Nsp: "/chat"}
	if data != "" {
		m.Data.JSON = []byte(data)
	}
	return m.Received("me", "/chat", nil)
}

const someOptions = `{"rooms":["a"],"except":["b"],"flags":{}}`

// everyType are all types of messages, with the data that Node's nodes send, which of its members must be there, and a member that may be
// missing.
var everyType = []struct {
	name     string
	typ      adapter.MessageType
	data     members
	optional []string
}{
	{"broadcast", clusterBroadcastType, members{"packet": `{"type":2,"data":["e",1],"nsp":"/chat"}`, "opts": someOptions}, nil},
	{"broadcast with acknowledgements", clusterBroadcastType, members{"packet": `{"type":2,"data":["e",1]}`, "opts": someOptions, "requestId": `"q"`}, []string{"requestId"}},
	{"join", TypeJoin, members{"opts": someOptions, "rooms": `["c"]`}, nil},
	{"leave", TypeLeave, members{"opts": someOptions, "rooms": `["c"]`}, nil},
	{"disconnect", TypeDisconnect, members{"opts": someOptions, "close": `true`}, []string{"close"}},
	{"fetch", clusterFetch, members{"opts": someOptions, "requestId": `"q"`}, nil},
	{"fetched", clusterFetched, members{"requestId": `"q"`, "sockets": `[{"id":"s"}]`}, []string{"sockets"}},
	{"server-side emit", clusterServerSide, members{"packet": `["e",1]`, "requestId": `"q"`}, []string{"requestId"}},
	{"server-side answer", clusterServerSideDone, members{"requestId": `"q"`, "packet": `[1]`}, []string{"packet"}},
	{"client count", clusterClientCount, members{"requestId": `"q"`, "clientCount": `3`}, nil},
	{"acknowledgement", clusterAck, members{"requestId": `"q"`, "packet": `[1]`}, []string{"packet"}},
}

// A member that is missing, or null, makes a message that needs it one to refuse; one of the future is nobody's business.
func TestMembersOfEveryType(t *testing.T) {
	for _, tc := range everyType {
		if _, err := read(tc.typ, tc.data.text()); err != nil {
			t.Errorf("%s: %s: %v", tc.name, tc.data.text(), err)
		}
		if _, err := read(tc.typ, tc.data.with("more", `{"a":[1]}`).text()); err != nil {
			t.Errorf("%s with more: %v", tc.name, err)
		}
		for name := range tc.data {
			fine := slices.Contains(tc.optional, name)
			for what, data := range map[string]members{"without": tc.data.without(name), "null for": tc.data.with(name, "null")} {
				if what == "null for" && name == "packet" && tc.typ == clusterServerSide {
					continue // its handler refuses it: it is no array
				}
				if r, err := read(tc.typ, data.text()); (err == nil) != fine {
					t.Errorf("%s %s %s: %+v, %v", tc.name, what, name, r, err)
				}
			}
		}
		for _, data := range []string{"", "null", "[]", `"data"`, "7", "true", "{", `{"opts":`, "\xff"} {
			if r, err := read(tc.typ, data); err == nil {
				t.Errorf("%s with data %q: %+v", tc.name, data, r)
			}
		}
	}
}

// Members that Node's adapters could make no sense of are refused. What they do make sense of is taken: see TestOddJSON of
// package redisadapter, and TestLooseMembers of package wire.
func TestMembersOfOtherKinds(t *testing.T) {
	kinds := map[string][]string{
		"requestId":   {`true`, `{}`, `["q"]`},
		"opts":        {`7`, `"opts"`, `["a"]`, `{"rooms":7}`, `{"rooms":{"a":1}}`, `{"except":{}}`, `{"except":false}`},
		"clientCount": {`-1`, `1.5`, `"3"`, `{}`, `1e300`},
	}
	for _, tc := range everyType {
		for name := range tc.data {
			for _, value := range kinds[name] {
				if r, err := read(tc.typ, tc.data.with(name, value).text()); err == nil {
					t.Errorf("%s: %s is %s: %+v", tc.name, name, value, r)
				}
			}
		}
	}
}

// Packets of broadcasts that clients could not take, or that are no broadcasts.
func TestPacketsOfBroadcasts(t *testing.T) {
	for packet, want := range map[string]error{
		`{"type":2,"data":["e"]}`:            nil,
		`{"type":5,"data":["e"]}`:            nil,
		`{"data":["e"],"nsp":"/x","type":2}`: nil, // the message says for which namespace it is
		`{"type":2,"data":[7]}`:              nil,
		`{"type":3,"data":["e"]}`:            wire.ErrPacket,
		`{"type":"2","data":["e"]}`:          nil,
		`{"type":2e0,"data":["e"]}`:          nil,
		`{"type":"5","data":["e"]}`:          wire.ErrPacket,
		`{"data":["e"]}`:                     wire.ErrPacket,
		`{"type":2}`:                         wire.ErrPacket,
		`{"type":2,"data":null}`:             wire.ErrEvent,
		`{"type":2,"data":[]}`:               wire.ErrEvent,
		`{"type":2,"data":{"0":"e"}}`:        wire.ErrEvent,
		`{"type":2,"data":"e"}`:              wire.ErrEvent,
		`{"type":2,"data":["disconnect"]}`:   wire.ErrReserved,
		`["e"]`:                              wire.ErrPacket,
		`"e"`:                                wire.ErrPacket,
	} {
		for _, requestID := range []string{"", `"q"`} {
			data := members{"packet": packet, "opts": someOptions}
			if requestID != "" {
				data["requestId"] = requestID
			}
			r, err := read(clusterBroadcastType, data.text())
			if !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", data.text(), err, want)
			}
			if err == nil && (r.Request != nil) != (requestID != "") {
				t.Errorf("%s: %+v", data.text(), r)
			}
		}
	}
}

// What the options of a broadcast come to.
func TestBroadcastOptions(t *testing.T) {
	for _, tc := range []struct {
		opts    string
		on      []string
		timeout time.Duration // -1: none
	}{
		{`{"rooms":[],"except":[],"flags":{}}`, nil, -1},
		{`{}`, nil, -1},
		{`{"rooms":null,"except":null,"flags":null}`, nil, -1},
		{`{"flags":[]}`, nil, -1},
		{`{"flags":"volatile"}`, nil, -1},
		{`{"flags":{"volatile":true,"compress":false,"broadcast":true,"binary":1,"expectSingleResponse":"yes"}}`, []string{"volatile", "broadcast"}, -1},
		{`{"flags":{"compress":true,"binary":true,"expectSingleResponse":true,"local":true}}`, []string{"compress", "binary", "expectSingleResponse"}, -1},
		{`{"flags":{"timeout":1500}}`, nil, 1500 * time.Millisecond},
		{`{"flags":{"timeout":1500.75}}`, nil, 1500 * time.Millisecond},
		{`{"flags":{"timeout":1e300}}`, nil, wire.MaxTimeout},
		{`{"flags":{"timeout":0}}`, nil, -1},
		{`{"flags":{"timeout":-5}}`, nil, -1},
		{`{"flags":{"timeout":"1500"}}`, nil, -1},
		{`{"flags":{"timeout":null}}`, nil, -1},
		{`{"flags":{"timeout":1e999}}`, nil, -1},
	} {
		r, err := read(clusterBroadcastType, members{"packet": `{"type":2,"data":["e"]}`, "opts": tc.opts}.text())
		if err != nil {
			t.Errorf("%s: %v", tc.opts, err)
			continue
		}
		flags := r.Broadcast.Opts.Flags
		var on []string
		for _, f := range wire.FlagsOf(flags) {
			if f.On {
				on = append(on, f.Name)
			}
		}
		if !slices.Equal(on, tc.on) || (flags.Timeout == nil) != (tc.timeout < 0) || flags.Timeout != nil && *flags.Timeout != tc.timeout {
			t.Errorf("%s: %q, timeout %v", tc.opts, on, flags.Timeout)
		}
	}
}

// A broadcast's place in the sequence of its sender is taken from where ours put it, and from nothing else.
func TestNumbers(t *testing.T) {
	for seq, want := range map[string]uint64{
		`7`: 7, `18446744073709551615`: 1<<64 - 1, `0`: 0, `-1`: 0, `1.5`: 0, `1e3`: 0, `null`: 0, `18446744073709551616`: 0,
	} {
		r, err := read(clusterBroadcastType, members{"packet": `{"type":2,"data":["e"]}`, "opts": `{}`, "seq": seq}.text())
		if err != nil || r.Broadcast.Number != want || want > 0 && r.Broadcast.From != "you" {
			t.Errorf("%s: %+v, %v", seq, r.Broadcast, err)
		}
	}
	m := Broadcast("you", "/chat", payloadOf(`["e",{}]`), nil, "").Numbered(42)
	if r, err := m.Received("me", "/chat", nil); err != nil || r.Broadcast.Number != 42 || string(r.Broadcast.Data.JSON) != `["e",{}]` {
		t.Errorf("%s: %+v, %v", m.Data.JSON, r.Broadcast, err)
	}
	if m := Broadcast("you", "/", payloadOf(`["e"]`), nil, ""); string(m.Numbered(0).Data.JSON) != string(m.Data.JSON) {
		t.Error("no number changes the message")
	}
}

// Messages that say nothing to this instance are passed over, and are no faults.
func TestWhatIsNotForUs(t *testing.T) {
	fine := everyType[0].data.text()
	for name, m := range map[string]Message{
		"our own":                {Type: clusterBroadcastType, UID: "me", Nsp: "/chat"},
		"of another namespace":   {Type: clusterBroadcastType, UID: "you", Nsp: "/chat2"},
		"of no namespace":        {Type: clusterBroadcastType, UID: "you"},
		"the first heartbeat":    {Type: clusterHeartbeat1, UID: "you", Nsp: "/chat"},
		"a heartbeat":            {Type: clusterHeartbeat2, UID: "you", Nsp: "/chat"},
		"that an adapter closes": {Type: clusterClose, UID: "you", Nsp: "/chat"},
	} {
		m.Data.JSON = []byte(fine)
		if r, err := m.Received("me", "/chat", nil); !errors.Is(err, wire.ErrNotForUs) {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
	for _, typ := range []adapter.MessageType{0, -1, 14, 99, 100, 103, 1 << 30} {
		if r, err := read(typ, fine); !errors.Is(err, wire.ErrRequestType) {
			t.Errorf("type %d: %+v, %v", typ, r, err)
		}
	}
	nobody := wire.Reach(func(socket.Room) bool { return false })
	m := Message{Type: clusterBroadcastType, UID: "you", Nsp: "/chat", Data: payloadOf(`{"opts":{"rooms":["a"]},"packet":"damaged"}`)}
	if _, err := m.Received("me", "/chat", nobody); !errors.Is(err, wire.ErrNobodyHere) {
		t.Errorf("for a room without members: %v", err)
	}
	m.Data = payloadOf(`{"opts":{"rooms":["a"]},"packet":{"type":2,"data":["e"]},"requestId":"q"}`)
	if r, err := m.Received("me", "/chat", nobody); err != nil || r.Request == nil {
		t.Errorf("one that wants to know how many there are: %+v, %v", r, err)
	}
}

// What each type is read as.
func TestWhatTypesAreReadAs(t *testing.T) {
	want := map[string]string{
		"broadcast":                       `{"b":["e",1]}`,
		"broadcast with acknowledgements": fmt.Sprintf(`{"q":{"uid":"you","requestId":"q","type":%d,"packet":{"type":2,"data":["e",1],"nsp":"/chat"},"opts":{"rooms":["a"],"except":["b"],"flags":{}}}}`, rtypes.BROADCAST),
		"join":                            fmt.Sprintf(`{"q":{"uid":"you","type":%d,"opts":{"rooms":["a"],"except":["b"],"flags":{}},"rooms":["c"]}}`, rtypes.REMOTE_JOIN),
		"leave":                           fmt.Sprintf(`{"q":{"uid":"you","type":%d,"opts":{"rooms":["a"],"except":["b"],"flags":{}},"rooms":["c"]}}`, rtypes.REMOTE_LEAVE),
		"disconnect":                      fmt.Sprintf(`{"q":{"uid":"you","type":%d,"opts":{"rooms":["a"],"except":["b"],"flags":{}},"close":true}}`, rtypes.REMOTE_DISCONNECT),
		"fetch":                           fmt.Sprintf(`{"q":{"uid":"you","requestId":"q","type":%d,"opts":{"rooms":["a"],"except":["b"],"flags":{}}}}`, rtypes.REMOTE_FETCH),
		"fetched":                         `{"r":{"requestId":"q","sockets":[{"id":"s"}]}}`,
		"server-side emit":                fmt.Sprintf(`{"q":{"uid":"you","requestId":"q","type":%d,"data":["e",1]}}`, rtypes.SERVER_SIDE_EMIT),
		"server-side answer":              fmt.Sprintf(`{"r":{"type":%d,"requestId":"q","data":[1]}}`, rtypes.SERVER_SIDE_EMIT),
		"client count":                    fmt.Sprintf(`{"r":{"type":%d,"requestId":"q","clientCount":3}}`, rtypes.BROADCAST_CLIENT_COUNT),
		"acknowledgement":                 fmt.Sprintf(`{"r":{"type":%d,"requestId":"q","packet":[1]}}`, rtypes.BROADCAST_ACK),
	}
	for _, tc := range everyType {
		r, err := read(tc.typ, tc.data.text())
		var got any = map[string]any{"q": r.Request}
		switch {
		case r.Broadcast != nil:
			got = map[string]any{"b": json.RawMessage(r.Broadcast.Data.JSON)}
		case r.Response != nil:
			got = map[string]any{"r": r.Response}
		}
		if b, _ := json.Marshal(got); err != nil || string(b) != want[tc.name] {
			t.Errorf("%s: %s, %v, want %s", tc.name, b, err, want[tc.name])
		}
	}
}

package redisadapter

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	rtypes "github.com/zishang520/socket.io-go-redis/types"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/redisadapter/internal/wire"
)

// Messages as programs in other languages write JSON: whole numbers with fractions or exponents, numbers and text in each other's place,
// PHP's empty lists for empty maps, names alone in place of lists, members that are null or missing. Each is heard by Node's adapter and
// read by ours.

// whole draws a whole number in one of its spellings, seldom something else.
func whole(r *rand.Rand, n int) string {
	odd := []string{"%d.0", "%d.00e0", "%de0", "%dE+0", "%d0e-1", "%d.0", `"%d"`, "%d.5", "-%d"}
	if r.IntN(2) == 0 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf(odd[r.IntN(len(odd))], n)
}

// oneOf draws the first half of the time, else another.
func oneOf(r *rand.Rand, usual string, odd ...string) string {
	if r.IntN(2) == 0 {
		return usual
	}
	return odd[r.IntN(len(odd))]
}

// object writes members, but those that are "".
func object(members ...string) string {
	var parts []string
	for i := 0; i < len(members); i += 2 {
		if members[i+1] != "" {
			parts = append(parts, fmt.Sprintf("%q:%s", members[i], members[i+1]))
		}
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func oddSet(r *rand.Rand) string {
	return oneOf(r, `["r1"]`, `[]`, `["y"]`, `[7]`, `[7.0]`, `[70e-1]`, `["7"]`, `"7"`, `"r1"`, `"xy"`, `""`, `[null,"r1"]`, `[true]`, `[["r1"]]`, `[{}]`, `{}`, `null`, ``, `false`, `0`, `7`)
}

func oddOpts(r *rand.Rand) string {
	flags := oneOf(r, `{}`, `[]`, ``, `null`, `0`, `{"volatile":"yes","compress":1,"timeout":"soon"}`, `{"timeout":1e3}`, `{"expectSingleResponse":[]}`, `""`)
	except := oneOf(r, `[]`, oddSet(r))
	return oneOf(r, object("rooms", oddSet(r), "except", except, "flags", flags), object("rooms", `["r1"]`, "except", except, "flags", flags), `[]`, `{}`, ``, `null`)
}

func oddID(r *rand.Rand) string  { return oneOf(r, `"q"`, `7`, `7.0`, `0.5`, `"7"`, `70e-1`) }
func oddUID(r *rand.Rand) string { return oneOf(r, `"asker"`, `5`, `5.0`, `null`, ``) }
func oddNames(r *rand.Rand) string {
	return oneOf(r, `["a","b"]`, `["a",8]`, `"a"`, `8`, `8.0`, `[8.0]`, `[]`, `["a","a"]`)
}
func oddClose(r *rand.Rand) string {
	return oneOf(r, `true`, `false`, `1`, `0`, `1.0`, `"no"`, `""`, `null`, ``, `[]`, `{}`)
}
func oddPacket(r *rand.Rand) string {
	typ := oneOf(r, `2`, `2.0`, `2e0`, `20E-1`, `"2"`)
	return object("type", typ, "data", oneOf(r, `["e",1.0]`, `["e",{"a":1e2}]`, `[7,1]`, `["e"]`), "nsp", `"/chat"`)
}

// oddModern draws a request for @socket.io/redis-adapter.
func oddModern(r *rand.Rand) (channel, text string) {
	uid := oddUID(r)
	switch typ := r.IntN(8); typ {
	case 0:
		text = object("uid", uid, "requestId", oddID(r), "type", whole(r, typ), "rooms", oddSet(r))
	case 1:
		text = object("uid", uid, "requestId", oddID(r), "type", whole(r, typ))
	case 2, 3:
		text = object("uid", uid, "type", whole(r, typ), "opts", object("rooms", oddSet(r), "except", oddSet(r)), "rooms", oddNames(r))
	case 4:
		text = object("uid", uid, "type", whole(r, typ), "opts", oneOf(r, object("rooms", oddSet(r), "except", oddSet(r)), `[]`), "close", oddClose(r))
	case 5:
		text = object("uid", uid, "requestId", oddID(r), "type", whole(r, typ), "opts", oddOpts(r))
	case 6:
		text = object("uid", uid, "requestId", oneOf(r, ``, oddID(r)), "type", whole(r, typ), "data", oneOf(r, `["hi",1.0]`, `["hi"]`))
	case 7:
		text = object("uid", uid, "requestId", oddID(r), "type", whole(r, typ), "packet", oddPacket(r), "opts", oddOpts(r))
	}
	return "socket.io-request#/chat#", text
}

// oddOld draws a request for socket.io-redis.
func oddOld(r *rand.Rand) (channel, text string) {
	sid := oneOf(r, `"x"`, `"y"`, `"z"`, `7`, `null`)
	switch typ := []int{0, 1, 2, 3, 4, 6}[r.IntN(6)]; typ {
	case 0:
		text = object("requestid", oddID(r), "type", whole(r, typ), "rooms", oddSet(r))
	case 1:
		text = object("requestid", oddID(r), "type", whole(r, typ), "sid", sid)
	case 2:
		text = object("requestid", oddID(r), "type", whole(r, typ))
	case 3, 4:
		text = object("requestid", oddID(r), "type", whole(r, typ), "sid", sid, "room", oneOf(r, `"r1"`, `7`, `7.0`, `8e0`, `"a"`))
		if typ == 3 && r.IntN(3) == 0 {
			text = object("requestid", oddID(r), "type", "3", "sid", sid, "room", `["a",8.0]`)
		}
	case 6:
		text = object("requestid", oddID(r), "type", whole(r, typ), "sid", sid, "close", oddClose(r))
	}
	return "socket.io-request#/chat#", text
}

// oddCluster draws a message of socket.io-adapter's ClusterAdapter.
func oddCluster(r *rand.Rand) (typ, uid, data string) {
	n := []int{3, 3, 4, 5, 6, 7, 9}[r.IntN(7)]
	switch n {
	case 3:
		data = object("packet", oddPacket(r), "opts", oddOpts(r), "requestId", oneOf(r, ``, oddID(r)))
	case 4, 5:
		data = object("opts", oddOpts(r), "rooms", oddNames(r))
	case 6:
		data = object("opts", oddOpts(r), "close", oddClose(r))
	case 7:
		data = object("opts", oddOpts(r), "requestId", oddID(r))
	case 9:
		data = object("packet", oneOf(r, `["hi",1.0]`, `["hi"]`), "requestId", oneOf(r, ``, oddID(r)))
	}
	return whole(r, n), oddUID(r), data
}

// oddMessage draws a message for one of Node's adapters.
func oddMessage(r *rand.Rand, mode string) nodeMessage {
	channel, text := "socket.io#/chat#", ""
	switch mode {
	case "v5":
		channel, text = oddOld(r)
	case "v8":
		channel, text = oddModern(r)
	case "sharded":
		typ, uid, data := oddCluster(r)
		text = object("type", typ, "data", data, "uid", uid, "nsp", `"/chat"`)
	case "streams":
		typ, _, data := oddCluster(r)
		return nodeMessage{Entry: map[string]string{"uid": "asker", "nsp": "/chat", "type": strings.Trim(typ, `"`), "data": data}}
	}
	return nodeMessage{Channel: channel, Hex: hex.EncodeToString([]byte(text))}
}

func (m nodeMessage) text() string {
	if m.Entry != nil {
		return fmt.Sprint(m.Entry)
	}
	b, _ := hex.DecodeString(m.Hex)
	return m.Channel + " " + string(b)
}

// effect is what becomes of a message: of the two clients of node.cjs, and what is answered.
type effect struct {
	rooms   map[string][]string
	events  map[string]string
	gone    map[string]bool
	emitted string
	answers []string // ids they are for
}

func (e effect) String() string {
	return fmt.Sprint("rooms ", e.rooms, " events ", e.events, " gone ", e.gone, " emitted ", e.emitted, " answers ", e.answers)
}

func untouched() effect {
	return effect{rooms: map[string][]string{"x": {"7", "r1", "x"}, "y": {"y"}}, events: map[string]string{}, gone: map[string]bool{}}
}

// effectOf is that of a message that Node's adapter heard.
func (o nodeOutcome) effect(t *testing.T, f wire.Format) effect {
	e := untouched()
	e.rooms = o.Rooms
	for id, events := range o.Events {
		for _, event := range events {
			if event.Type != 2.0 && event.Type != "2" {
				continue // no client takes it for an event
			}
			b, _ := json.Marshal(event.Data)
			e.events[id] += string(b)
		}
	}
	maps.Copy(e.gone, o.Gone)
	if len(o.Emitted) > 0 {
		b, _ := json.Marshal(o.Emitted[0])
		e.emitted = string(b)
	}
	for _, m := range o.Out {
		if r, err := m.read(t, f); err == nil && r.Response != nil {
			e.answers = append(e.answers, fmt.Sprintf("%q", r.Response.RequestID+r.Response.LegacyID))
		}
	}
	slices.Sort(e.answers)
	e.answers = slices.Compact(e.answers) // an acknowledgement of each client beside the count
	return e
}

// selects are the clients that options select.
func (e effect) selects(opts *socket.BroadcastOptions) (ids []string) {
	for _, id := range []string{"x", "y"} {
		in := func(room socket.Room) bool { return slices.Contains(e.rooms[id], string(room)) }
		if (!wire.HasRooms(opts) || slices.ContainsFunc(opts.Rooms.Keys(), in)) && (opts.Except == nil || !slices.ContainsFunc(opts.Except.Keys(), in)) {
			ids = append(ids, id)
		}
	}
	return ids
}

// change makes a client join and leave.
func (e effect) change(id string, join, leave []socket.Room) {
	rooms := slices.Clone(e.rooms[id])
	for _, room := range join {
		rooms = append(rooms, string(room))
	}
	rooms = slices.DeleteFunc(rooms, func(room string) bool { return slices.Contains(leave, socket.Room(room)) })
	slices.Sort(rooms)
	e.rooms[id] = slices.Compact(rooms)
}

// ourEffect is what our instance does with what it has read: Adapter.receiveRequest in small.
func ourEffect(r wire.Received) effect {
	e := untouched()
	event := func(data []byte, ids []string) {
		var v any
		_ = json.Unmarshal(data, &v)
		b, _ := json.Marshal(v)
		for _, id := range ids {
			e.events[id] = string(b)
		}
	}
	if r.Broadcast != nil {
		event(r.Broadcast.Data.JSON, e.selects(r.Broadcast.Opts))
		return e
	}
	req := r.Request
	if (req.Type == rtypes.REMOTE_FETCH || req.Type == rtypes.BROADCAST) && req.LegacyID == "" && req.Opts == nil {
		return e
	}
	opts, closes := req.Opts.BroadcastOptions(), req.Close != nil && *req.Close
	answer := func() { e.answers = []string{fmt.Sprintf("%q", req.RequestID+req.LegacyID)} }
	if req.LegacyID != "" {
		_, known := e.rooms[req.Sid]
		names := req.Rooms.Rooms()
		if req.Rooms == nil {
			names = []socket.Room{socket.Room(req.Room)}
		}
		switch req.Type {
		case wire.LegacyClients, wire.LegacyAllRooms:
			answer()
			return e
		case wire.LegacyJoin:
			if known {
				e.change(req.Sid, names, nil)
			}
		case wire.LegacyLeave:
			if known {
				e.change(req.Sid, nil, names)
			}
		case wire.LegacyDisconnect:
			if known {
				e.gone[req.Sid] = closes
			}
		}
		if known && req.Type >= 0 && req.Type <= wire.LegacyDisconnect {
			answer()
		}
		return e
	}
	switch req.Type {
	case rtypes.SOCKETS, rtypes.ALL_ROOMS, rtypes.REMOTE_FETCH:
		answer()
	case rtypes.REMOTE_JOIN:
		for _, id := range e.selects(opts) {
			e.change(id, req.Rooms.Rooms(), nil)
		}
	case rtypes.REMOTE_LEAVE:
		for _, id := range e.selects(opts) {
			e.change(id, nil, req.Rooms.Rooms())
		}
	case rtypes.REMOTE_DISCONNECT:
		for _, id := range e.selects(opts) {
			e.gone[id] = closes
		}
	case rtypes.SERVER_SIDE_EMIT:
		var v any
		_ = json.Unmarshal(req.Data, &v)
		b, _ := json.Marshal(v)
		e.emitted = string(b)
		if req.RequestID != "" {
			answer()
		}
	case rtypes.BROADCAST:
		event(req.Packet.Data, e.selects(opts))
		answer()
	}
	return e
}

// What Node makes of JSON as other programs write it, we make of it, too; what it dies of is refused.
func TestOddJSON(t *testing.T) {
	const each = 600
	r := rand.New(rand.NewPCG(11, 1))
	var cases []nodeCase
	adapters := nodeAdapters()
	for _, a := range adapters {
		for range each {
			cases = append(cases, nodeCase{Mode: a.name, Numbers: true, Hear: []nodeMessage{oddMessage(r, a.name)}})
		}
	}
	did, wrong := 0, 0
	for i, o := range askNode(t, cases) {
		a, m := adapters[i/each], cases[i].Hear[0]
		got := untouched()
		received, err := m.read(t, a.format)
		if err == nil && (received.Broadcast != nil || received.Request != nil) {
			got = ourEffect(received)
		}
		want := untouched()
		if o.Crash == "" {
			want = o.effect(t, a.format)
		}
		if want.String() != untouched().String() {
			did++
		}
		if got.String() != want.String() {
			if wrong++; wrong <= 40 {
				t.Errorf("%s, %s:\n got %s (%v)\nwant %s %.200s", a.name, m.text(), got, err, want, o.Crash)
			}
		}
	}
	t.Logf("%d messages did something, %d wrong", did, wrong)
	if did < each {
		t.Errorf("only %d of %d messages did anything", did, len(cases))
	}
}

package redisadapter

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/zishang520/engine.io/v2/types"
	rtypes "github.com/zishang520/socket.io-go-redis/types"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/redisadapter/internal/wire"
	"socketio-chat/pkg/socketio"
)

// toAndNot are options.
func toAndNot(rooms, except []socket.Room) *socket.BroadcastOptions {
	return &socket.BroadcastOptions{Rooms: types.NewSet(rooms...), Except: types.NewSet(except...)}
}

// What a node of generation 4 does when we ask it for something: to its sockets, to its listeners, and what it answers.
var requestsToNode = []struct {
	name   string
	req    wire.Request
	ack    bool // a broadcast that wants acknowledgements
	x, y   string
	gone   string
	emit   string
	answer []string
}{
	{name: "join", req: wire.Request{Type: rtypes.REMOTE_JOIN, Opts: wire.OptionsOf(toAndNot([]socket.Room{"r1"}, nil)), Rooms: wire.RoomList{"new", "8"}}, x: "7,8,new,r1,x", y: "y"},
	{name: "all join", req: wire.Request{Type: rtypes.REMOTE_JOIN, Opts: wire.OptionsOf(nil), Rooms: wire.RoomList{"new"}}, x: "7,new,r1,x", y: "new,y"},
	{name: "join but", req: wire.Request{Type: rtypes.REMOTE_JOIN, Opts: wire.OptionsOf(toAndNot(nil, []socket.Room{"7"})), Rooms: wire.RoomList{"new"}}, x: "7,r1,x", y: "new,y"},
	{name: "leave", req: wire.Request{Type: rtypes.REMOTE_LEAVE, Opts: wire.OptionsOf(toAndNot([]socket.Room{"x", "y"}, nil)), Rooms: wire.RoomList{"r1"}}, x: "7,x", y: "y"},
	{name: "disconnect", req: wire.Request{Type: rtypes.REMOTE_DISCONNECT, Opts: wire.OptionsOf(toAndNot([]socket.Room{"y"}, nil)), Close: new(bool)}, x: "7,r1,x", y: "y", gone: "y:false"},
	{name: "emit", req: wire.Request{Type: rtypes.SERVER_SIDE_EMIT, Data: []byte(`["hi",{"a":1.5},"안녕"]`)}, x: "7,r1,x", y: "y", emit: `[["hi",{"a":1.5},"안녕"]]`},
	{name: "emit and ask", req: wire.Request{Type: rtypes.SERVER_SIDE_EMIT, RequestID: "q", Data: []byte(`["hi",1]`)}, x: "7,r1,x", y: "y", emit: `[["hi",1]]`,
		answer: []string{`data ["hi",1]`}},
	{name: "fetch", req: wire.Request{Type: rtypes.REMOTE_FETCH, RequestID: "q", Opts: wire.OptionsOf(nil)}, x: "7,r1,x", y: "y",
		answer: []string{`sockets x[7 r1 x]{"name":"x"} y[y]{"name":"y"}`}},
	{name: "fetch one", req: wire.Request{Type: rtypes.REMOTE_FETCH, RequestID: "q", Opts: wire.OptionsOf(toAndNot([]socket.Room{"r1", "none"}, nil))}, x: "7,r1,x", y: "y",
		answer: []string{`sockets x[7 r1 x]{"name":"x"}`}},
	{name: "ask", ack: true, x: "7,r1,x", y: "y", answer: []string{`count 2`, `ack {"a":1}`, `ack {"a":1}`}},
}

// told describes an answer.
func told(t *testing.T, r *wire.Response) string {
	t.Helper()
	switch {
	case r.ClientCount != nil:
		return fmt.Sprintf("count %d", *r.ClientCount)
	case r.Sockets != nil:
		var list []wire.RemoteSocket
		if err := json.Unmarshal(r.Sockets, &list); err != nil {
			t.Error(err)
		}
		text := "sockets"
		slices.SortFunc(list, func(a, b wire.RemoteSocket) int { return strings.Compare(string(a.ID), string(b.ID)) })
		for _, s := range list {
			slices.Sort(s.Rooms)
			d := s.Details()
			data, _ := json.Marshal(d.Data())
			text += fmt.Sprintf(" %s%v%s", d.Id(), s.Rooms, data)
			if h := d.Handshake(); h.Address != "::1" || h.Issued != 7 || h.Headers["host"][0] != "h" || h.Query["EIO"][0] != "4" {
				t.Errorf("handshake %+v", h)
			}
		}
		return text
	case r.Packet != nil:
		return "ack " + string(r.Packet)
	}
	return "data " + string(r.Data)
}

func TestNodeDoesWhatWeAsk(t *testing.T) {
	adapters := nodeAdapters()[1:]
	var cases []nodeCase
	for _, a := range adapters {
		for _, tc := range requestsToNode {
			var list []wire.Out
			var err error
			if tc.ack {
				list, _, err = a.format.AckRequest("q", socketio.Payload{JSON: []byte(`["hi",{"a":1}]`)}, nil, a.census)
			} else {
				req := tc.req
				var o wire.Out
				o, err = a.format.Request(&req)
				list = []wire.Out{o}
			}
			if err != nil {
				t.Fatal(err)
			}
			cases = append(cases, nodeCase{Mode: a.name, Hear: nodeMessages(list)})
		}
	}
	for i, o := range askNode(t, cases) {
		a, tc := adapters[i/len(requestsToNode)], requestsToNode[i%len(requestsToNode)]
		what := a.name + ", " + tc.name
		gone, emitted := "", ""
		for id, closed := range o.Gone {
			gone += fmt.Sprint(id, ":", closed)
		}
		if len(o.Emitted) > 0 {
			b, _ := json.Marshal(o.Emitted)
			emitted = string(b)
		}
		x, y := strings.Join(o.Rooms["x"], ","), strings.Join(o.Rooms["y"], ",")
		if o.Crash != "" || x != tc.x || y != tc.y || gone != tc.gone || emitted != tc.emit {
			t.Errorf("%s: rooms %s and %s, gone %q, emitted %s %s", what, x, y, gone, emitted, o.Crash)
		}
		var answers []string
		for _, m := range o.Out {
			r, err := m.read(t, a.format)
			if err != nil || r.Response == nil || r.Response.RequestID != "q" {
				t.Errorf("%s: answer on %s: %+v, %v", what, m.Channel, r.Response, err)
				continue
			}
			answers = append(answers, told(t, r.Response))
		}
		slices.Sort(answers)
		want := slices.Sorted(slices.Values(tc.answer))
		if !slices.Equal(answers, want) {
			t.Errorf("%s: answered %q, want %q", what, answers, want)
		}
	}
}

// What Node nodes ask for, and as what we read it.
func TestWeReadWhatNodeAsks(t *testing.T) {
	set := func(names ...string) map[string]any { return map[string]any{"$set": append([]string{}, names...)} }
	opts := map[string]any{"rooms": set("r1"), "except": set("y"), "flags": map[string]any{}}
	fn, packet := map[string]any{"$fn": 1}, map[string]any{"type": 2, "data": []any{"hi", 1}}
	type question struct {
		call string
		args []any
		want string
	}
	modern := []question{
		{"addSockets", []any{opts, []any{"a", 7}}, `type 2 opts [r1] [y] rooms [a 7]`},
		{"delSockets", []any{opts, []any{"a"}}, `type 3 opts [r1] [y] rooms [a]`},
		{"disconnectSockets", []any{opts, true}, `type 4 opts [r1] [y] close true`},
		{"fetchSockets", []any{opts}, `type 5 opts [r1] [y] answer`},
		{"serverSideEmit", []any{[]any{"hi", map[string]any{"a": nil}}}, `type 6 data ["hi",{"a":null}]`},
		{"serverSideEmit", []any{[]any{"hi", map[string]any{"$bin": "0102"}, 1.5}}, `type 6 data ["hi",{"type":"Buffer","data":[1,2]},1.5]`},
		{"serverSideEmit", []any{[]any{"hi", fn}}, `type 6 data ["hi"] answer`},
		{"broadcastWithAck", []any{packet, opts, fn, fn}, `type 7 opts [r1] [y] packet ["hi",1] answer`},
	}
	old := []question{
		{"remoteJoin", []any{"other", "r", fn}, `type 3 sid other room r old`},
		{"remoteLeave", []any{"other", "r", fn}, `type 4 sid other room r old`},
		{"remoteDisconnect", []any{"other", true, fn}, `type 6 sid other close true old`},
		{"clients", []any{[]any{"r1"}, fn}, `type 0 rooms [r1] old`},
		{"clientRooms", []any{"other", fn}, `type 1 sid other old`},
		{"allRooms", []any{fn}, `type 2 old`},
	}
	adapters := nodeAdapters()
	var cases []nodeCase
	var asked []question
	for _, a := range adapters {
		list := modern
		if a.second {
			list = old
		}
		for _, q := range list {
			cases, asked = append(cases, nodeCase{Mode: a.name, Call: q.call, Args: q.args}), append(asked, q)
		}
	}
	for i, o := range askNode(t, cases) {
		q := asked[i]
		at := slices.IndexFunc(adapters, func(a nodeAdapter) bool { return a.name == cases[i].Mode })
		what := fmt.Sprintf("%s, %s %v", cases[i].Mode, q.call, q.args)
		if o.Crash != "" || len(o.Out) != 1 {
			t.Errorf("%s: %d messages %s", what, len(o.Out), o.Crash)
			continue
		}
		r, err := o.Out[0].read(t, adapters[at].format)
		if err != nil || r.Request == nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		if got := describeRequest(r.Request, o.UID); got != q.want {
			t.Errorf("%s: %s, want %s", what, got, q.want)
		}
	}
}

// describeRequest describes a request.
func describeRequest(req *wire.Request, asker string) string {
	text := fmt.Sprintf("type %d", req.Type)
	if req.Opts != nil {
		text += fmt.Sprintf(" opts %v %v", req.Opts.Rooms, req.Opts.Except)
	}
	if req.Sid != "" {
		text += " sid " + req.Sid
	}
	if req.Room != "" {
		text += " room " + string(req.Room)
	}
	if len(req.Rooms) > 0 {
		text += fmt.Sprint(" rooms ", req.Rooms)
	}
	if req.Close != nil {
		text += fmt.Sprint(" close ", *req.Close)
	}
	if req.Data != nil {
		if d, err := wire.InlineBinary(socketio.Payload{JSON: req.Data, Attachments: req.Attachments}, 1<<20); err == nil {
			text += " data " + string(d)
		}
	}
	if req.Packet != nil {
		text += " packet " + string(req.Packet.Data)
	}
	if req.RequestID != "" {
		text += " answer"
	}
	if req.LegacyID != "" {
		text += " old"
	} else if req.UID != asker {
		text += " of somebody else"
	}
	return text
}

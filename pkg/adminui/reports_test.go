package adminui

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/zishang520/engine.io/v2/types"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/ratelog"
	"socketio-chat/pkg/socketio"
)

func TestReportsAreBounded(t *testing.T) {
	var r reporter
	r.init()
	for range maxNotes + 10 {
		r.tell("a")
		r.tellEvent("b")
	}
	if len(r.pending) != maxNotes || r.leftOut < 10 {
		t.Error(len(r.pending), r.leftOut)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r.report(ctx, nil, &ratelog.Log{})
}

// TestReportsAreBoundedInBytes: a few events may keep as much as thousands do. What waits counts until it is sent, and one alone always has room.
func TestReportsAreBoundedInBytes(t *testing.T) {
	var r reporter
	r.init()
	big := strings.Repeat("x", maxEventBytes/4)
	for name, args := range map[string][]any{
		"text":      {"say", big},
		"nested":    {"say", map[string]any{"list": []any{[]byte(big)}}},
		"named":     {"say", map[string]any{big: nil}},
		"buffer":    {"say", types.NewBytesBufferString(big)},
		"payload":   {"say", socketio.Payload{JSON: []byte(big[:1000]), Attachments: [][]byte{[]byte(big[1000:])}}},
		"raw":       {"say", json.RawMessage(`"` + big + `"`)},
		"own":       {"say", struct{ Text *string }{&big}},
		"one alone": {"say", strings.Repeat(big, 5)},
	} {
		r.pending, r.bytes, r.leftOut = nil, 0, 0
		for range 10 {
			r.tellEvent("event_received", args)
		}
		want := 3
		if name == "one alone" {
			want = 1
		}
		if len(r.pending) != want || r.leftOut != 10-want {
			t.Errorf("%s: %d wait, %d are left out", name, len(r.pending), r.leftOut)
		}
		for range 20 {
			r.tell("socket_connected", shown{Data: map[string]any{"name": big}}, now())
		}
		all := 0
		for _, n := range r.pending {
			all += n.size
		}
		if len(r.pending) <= want || all > maxNoteBytes || r.bytes != all {
			t.Errorf("%s: then %d wait, with %d bytes, counted as %d", name, len(r.pending), all, r.bytes)
		}
	}
	loop := map[string]any{}
	loop["loop"] = loop
	if n := sizeOf(loop, 0); n > 1<<20 {
		t.Errorf("a loop has %d bytes", n)
	}
}

// TestReportsThatWereSentMakeRoom: the bound is on what waits.
func TestReportsThatWereSentMakeRoom(t *testing.T) {
	s := newScene(t, Options{Development: true}, 0)
	page := s.page(login)
	page.until("all_sockets")
	text := strings.Repeat("x", 1000)
	for range 20 {
		s.ui.tellEvent("event_received", "/chat", "id", []any{"say", text}, now())
		page.until("event_received")
	}
	eventually := time.Now().Add(patience)
	for {
		s.ui.notes.Lock()
		kept := s.ui.bytes
		s.ui.notes.Unlock()
		if kept == 0 {
			return
		}
		if time.Now().After(eventually) {
			t.Fatalf("%d bytes count that were sent", kept)
		}
		runtime.Gosched()
	}
}

func TestCarriers(t *testing.T) {
	if got := show(fake{data: carrier{"_admin": about{"id", "polling"}, "Token": 1, "list": []any{map[string]any{"password": "x", "n": 2}}}}, "/", about{}); got.ClientID != "id" ||
		fmt.Sprint(got.Data) != "map[Token:(not shown) list:[map[n:2 password:(not shown)]]]" {
		t.Errorf("%+v", got)
	}
	for _, data := range []any{nil, 7, "text", []int{1}, make(chan int)} {
		if got := show(fake{data: data}, "/", about{}); len(got.Data) != 0 || got.Data == nil || got.Rooms == nil {
			t.Errorf("%v: %+v", data, got)
		}
	}
}

type carrier map[string]any

// fake is a socket of another instance that says next to nothing.
type fake struct {
	socket.SocketDetails
	data any
}

func (f fake) Id() socket.SocketId { return "x" } //nolint:revive // the library's name
func (f fake) Data() any           { return f.data }
func (f fake) Handshake() *socket.Handshake {
	return nil
}
func (f fake) Rooms() *types.Set[socket.Room] { return nil }

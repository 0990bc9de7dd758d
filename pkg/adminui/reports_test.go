package adminui

import (
	"context"
	"fmt"
	"testing"

	"github.com/zishang520/engine.io/v2/types"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/ratelog"
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

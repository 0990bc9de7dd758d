package socketio

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zishang520/engine.io/v2/transports"
	"github.com/zishang520/engine.io/v2/types"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/engineio"
)

// TestEngineServer checks what the library's Engine() tells.
func TestEngineServer(t *testing.T) {
	s := newTestServer(t, Options{Engine: engineio.Options{PingInterval: 7 * time.Second}})
	e := s.IO().Engine()
	o := e.Opts()
	if o.PingInterval() != 7*time.Second || o.PingTimeout() != engineio.DefaultPingTimeout ||
		o.MaxHttpBufferSize() != engineio.DefaultMaxPayload || !o.Transports().Has("websocket") {
		t.Errorf("options %+v", o)
	}
	c := s.dialJoined(t, 4, "/")
	if e.ClientsCount() != 1 {
		t.Errorf("%d clients", e.ClientsCount())
	}
	if clients := e.Clients(); clients.Len() != 1 || !slices.Equal(clients.Keys(), []string{c.sid}) {
		t.Errorf("clients %v, want %s", clients.Keys(), c.sid)
	}
	if up := e.Upgrades("polling"); up.Len() != 1 || !up.Has("websocket") || e.Upgrades("websocket").Len() != 0 {
		t.Errorf("upgrades %v", up.Keys())
	}
	if id, err := e.GenerateId(nil); err != nil || len(id) < 20 {
		t.Errorf("id %q, %v", id, err)
	}
	if code, _ := e.Verify(nil, false); code != nil {
		t.Errorf("verify: %v", code)
	}
	if code, _ := e.Handshake("websocket", nil); code == nil {
		t.Error("a handshake is accepted")
	}
	if _, err := e.CreateTransport("websocket", nil); err == nil {
		t.Error("a transport is created")
	}
	e.Use(func(*types.HttpContext, func(error)) {})
	if !strings.Contains(s.log.String(), "engine middleware ignored") || len(e.Middlewares()) != 0 {
		t.Error("middleware is ignored in silence")
	}
	passed := false
	e.ApplyMiddlewares(nil, func(err error) { passed = err == nil })
	if !passed || e.ComputePath(nil) != "/socket.io/" || e.Proto() != e {
		t.Error("the rest")
	}
	for _, f := range []func(){func() { e.Init() }, func() { e.Cleanup() }, func() { e.Construct(nil) }, func() { e.Prototype(nil) }} {
		f()
	}
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		s.IO().Close(nil)
	}()
	c.wantClosed()
	receive(t, closed)
}

// TestEngineSocket checks what a socket's Conn() tells and does.
func TestEngineSocket(t *testing.T) {
	bothProtocols(t, func(t *testing.T, protocol int) {
		s := newTestServer(t, Options{})
		s.Of("/chat")
		c, sock := joinedSocket(t, s, protocol)
		e := sock.Conn()
		if e.Id() != c.sid || e.Protocol() != protocol || e.ReadyState() != "open" || !e.Upgraded() || e.Upgrading() ||
			!strings.HasPrefix(e.RemoteAddress(), "127.0.0.1:") {
			t.Errorf("engine socket: %v %v %v %v", e.Id(), e.Protocol(), e.ReadyState(), e.Upgraded())
		}
		tr := e.Transport()
		if tr.Name() != "websocket" || tr.Sid() != c.sid || !tr.SupportsBinary() || tr.Discarded() || !tr.HandlesUpgrades() ||
			tr.Parser().Protocol() != protocol || tr.Protocol() != protocol || tr.ReadyState() != "open" || tr.Proto() != tr {
			t.Errorf("transport: %v %v", tr.Name(), tr.Sid())
		}
		r := sock.Request()
		if r.Path() != "socket.io" || r.Headers().Peek("Upgrade") != "websocket" || r.Query().Peek("transport") != "websocket" ||
			r.Method() != "GET" || r.Secure() || !r.IsDone() {
			t.Errorf("request: %v %v", r.Path(), r.Headers().All())
		}
		if sock.Request() != r {
			t.Error("the request is another one each time")
		}

		sent := make(chan transports.Transport, 3)
		done := func(tr transports.Transport) { sent <- tr }
		e.Send(strings.NewReader("text"), nil, done)
		e.Write(types.NewStringBufferString("more text"), nil, done)
		e.Write(bytes.NewReader([]byte("binary")), nil, done)
		c.want("text", "more text", "b:binary")
		if receive(t, sent).Name() != "websocket" {
			t.Error("callback")
		}
		e.Write(iotestErr{}, nil, nil)
		if !strings.Contains(s.log.String(), "it cannot be read") {
			t.Error("a broken reader goes unnoticed")
		}

		reason := make(chan any, 1)
		if err := e.Once("close", func(args ...any) { reason <- args[0] }); err != nil {
			t.Fatal(err)
		}
		e.Close(true)
		if r := receive(t, reason); r != "forced close" {
			t.Errorf("reason %q", r)
		}
		if e.ReadyState() != "closed" {
			t.Errorf("state %q", e.ReadyState())
		}
	})
}

// TestEngineOptions: what Engine() tells of protocols and upgrades is what is served.
func TestEngineOptions(t *testing.T) {
	e := newTestServer(t, Options{Engine: engineio.Options{NoUpgrades: true, Protocols: []int{4}}}).IO().Engine()
	if e.Opts().AllowUpgrades() || e.Opts().AllowEIO3() || e.Upgrades("polling").Len() != 0 {
		t.Errorf("upgrades %v, protocol 3 %v, to %v", e.Opts().AllowUpgrades(), e.Opts().AllowEIO3(), e.Upgrades("polling").Keys())
	}
	if e := newTestServer(t, Options{}).IO().Engine(); !e.Opts().AllowUpgrades() || !e.Opts().AllowEIO3() {
		t.Errorf("upgrades %v, protocol 3 %v", e.Opts().AllowUpgrades(), e.Opts().AllowEIO3())
	}
}

type iotestErr struct{}

func (iotestErr) Read([]byte) (int, error) { return 0, errors.New("broken") }

var _ io.Reader = iotestErr{}

// TestUnencodable: what JSON cannot hold is dropped and logged; the connection goes on.
func TestUnencodable(t *testing.T) {
	s := newTestServer(t, Options{})
	chat := s.Of("/chat")
	Handle(chat, "chan", func(context.Context, *socket.Socket, any) (any, error) { return make(chan int), nil })
	c, sock := joinedSocket(t, s, 4)
	if err := sock.Emit("x", make(chan int)); err != nil {
		t.Error(err)
	}
	chat.Broadcast("x", make(chan int))
	n := uint64(9)
	chat.Adapter().BroadcastWithAck(packetOf("x", make(chan int)), nil, func(count uint64) { n = count }, nil)
	if n != 0 {
		t.Errorf("%d receivers of nothing", n)
	}
	c.send(`2/chat,1["chan"]`)
	c.send("1/chat,")
	c.send("0/chat,")
	if m := c.next(); !strings.HasPrefix(m, "0/chat,") {
		t.Errorf("got %q", m)
	}
	for _, want := range []string{"packet dropped", "acknowledgement dropped"} {
		if !strings.Contains(s.log.String(), want) {
			t.Errorf("the log does not say %q", want)
		}
	}
}

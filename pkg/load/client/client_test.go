//go:build linux

package client

import (
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"socketio-chat/pkg/load/reactor"
)

const hello = `{"sid":"S1","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}`

func TestWebSocketSession(t *testing.T) {
	s := newStage(t, 4, WebSocket)
	w := s.accept()
	w.upgrade("/socket.io/?EIO=4&transport=websocket&username=alice")
	w.text("0" + hello)
	w.wantText("40/chat,")
	w.text(`40/chat,{"sid":"N1"}`)
	within(t, "join", s.rec.joined)
	w.text(`42/chat,["msgToClient",{"name":"bob","text":"hi"}]`)
	s.wantPacket(`2/chat,["msgToClient",{"name":"bob","text":"hi"}]`)
	w.text("2")
	w.wantText("3")
	s.do(func() { s.c.Send([]byte(`2/chat,["msgToServer",1]`)) })
	w.wantText(`42/chat,["msgToServer",1]`)
	s.do(s.c.Close)
	if f, err := readFrame(w.r); err != nil || f.Header.OpCode != ws.OpClose {
		t.Errorf("at the end came %v, %v", f.Header.OpCode, err)
	}
	if err := within(t, "end", s.rec.left); err != ErrClosed {
		t.Errorf("left with %v", err)
	}
}

func TestProtocol3Session(t *testing.T) {
	s := newStage(t, 3, WebSocket)
	w := s.accept()
	w.upgrade("/socket.io/?EIO=3&transport=websocket&username=alice")
	w.text("0" + hello)
	w.text("40") // protocol 3 puts everybody into "/"; that is not the chat
	w.wantText("40/chat?username=alice,")
	w.text("40/chat")
	within(t, "join", s.rec.joined)
	s.do(func() { s.c.Sweep(s.c.pingAt) }) // here the client pings
	w.wantText("2")
	w.text("3")
	w.text(`42/chat,["e"]`)
	s.wantPacket(`2/chat,["e"]`)
}

// A message may come in pieces: TCP's, and WebSocket's.
func TestFragments(t *testing.T) {
	s := newStage(t, 4, WebSocket)
	w := s.accept()
	w.upgrade("/socket.io/?EIO=4&transport=websocket&username=alice")
	long := `42/chat,["e","` + strings.Repeat("x", 70_000) + `"]`
	for _, f := range []ws.Frame{
		ws.NewFrame(ws.OpText, false, nil),
		ws.NewFrame(ws.OpContinuation, false, []byte(long[:10])),
		ws.NewPingFrame([]byte("between")),
		ws.NewFrame(ws.OpContinuation, true, []byte(long[10:])),
	} {
		if err := ws.WriteFrame(w, f); err != nil {
			t.Fatal(err)
		}
	}
	s.wantPacket(long[1:])
	if f, err := readFrame(w.r); err != nil || f.Header.OpCode != ws.OpPong || string(ws.UnmaskFrame(f).Payload) != "between" {
		t.Errorf("the ping was answered with %v, %v", f.Header.OpCode, err)
	}
	whole := ws.MustCompileFrame(ws.NewTextFrame([]byte(`42/chat,["slow"]`)))
	for _, b := range whole {
		if _, err := w.Write([]byte{b}); err != nil {
			t.Fatal(err)
		}
	}
	s.wantPacket(`2/chat,["slow"]`)
}

func TestSessionsThatFail(t *testing.T) {
	frame := func(f ws.Frame) string { return string(ws.MustCompileFrame(f)) }
	text := func(s string) string { return frame(ws.NewTextFrame([]byte(s))) }
	for _, tt := range []struct{ name, wire, want string }{
		{"namespace refused", text("0"+hello) + text(`44/chat,{"message":"Invalid namespace"}`), "Invalid namespace"},
		{"disconnected", text("0"+hello) + text(`41/chat,`), "disconnected"},
		{"engine close", text("1"), "closed the session"},
		{"no handshake", text("0nonsense"), "handshake"},
		{"empty packet", text(""), "empty"},
		{"close frame", frame(ws.NewCloseFrame(ws.NewCloseFrameBody(1009, "too big"))), "1009"},
		{"unknown opcode", "\x83\x00", "opcode"},
		{"continuation of nothing", "\x80\x00", "out of order"},
		{"masked frame", "\x81\x80\x01\x02\x03\x04", "masks"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newStage(t, 4, WebSocket)
			w := s.accept()
			w.upgrade("/socket.io/?EIO=4&transport=websocket&username=alice")
			if _, err := w.Write([]byte(tt.wire)); err != nil {
				t.Fatal(err)
			}
			if err := within(t, "end", s.rec.left); !strings.Contains(err.Error(), tt.want) {
				t.Errorf("left with %q, want something of %q", err, tt.want)
			}
		})
	}
}

func TestHandshakesThatFail(t *testing.T) {
	for _, tt := range []struct{ name, wire, want string }{
		{"no server of this kind", "HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\nnot found", "404"},
		{"wrong accept", "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: x\r\n\r\n", "Accept"},
		{"no HTTP", "hello, this is no web server\r\n\r\n", "no HTTP"},
		{"cut off", "", "cut"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newStage(t, 4, WebSocket)
			w := s.accept()
			w.wantRequest("GET", "/socket.io/?EIO=4&transport=websocket&username=alice", "")
			if _, err := w.Write([]byte(tt.wire)); err != nil {
				t.Fatal(err)
			}
			w.Close()
			if err := within(t, "end", s.rec.left); !strings.Contains(err.Error(), tt.want) {
				t.Errorf("left with %q, want something of %q", err, tt.want)
			}
		})
	}
}

func TestNobodyListens(t *testing.T) {
	s := newStage(t, 4, WebSocket)
	w := s.accept() // the first one; a second client finds nobody
	s.ln.Close()
	w.Close()
	within(t, "end", s.rec.left)
	s.do(func() { s.c = s.c.group.Start(s.c.peer, s.rec) })
	if err := within(t, "end", s.rec.left); !strings.Contains(err.Error(), "refused") {
		t.Errorf("left with %v", err)
	}
}

func TestGroupRefusesWhatItDoesNotKnow(t *testing.T) {
	for _, o := range []Options{{Protocol: 2, Transport: WebSocket}, {Protocol: 4, Transport: "webtransport"}, {}} {
		if _, err := NewGroup(&reactor.Loop{}, o); err == nil {
			t.Errorf("took %+v", o)
		}
	}
}

// What a delivery costs the tool, from the bytes of the socket to the event, it costs without memory.
func TestReceivingDoesNotAllocate(t *testing.T) {
	w, b := receiving()
	if n := testing.AllocsPerRun(100, func() {
		if used, err := w.Data(b, 1); used != len(b) || err != nil {
			t.Fatal(used, err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkReceive(b *testing.B) {
	w, data := receiving()
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := w.Data(data, 1); err != nil {
			b.Fatal(err)
		}
	}
}

// quiet is the Events of a client that nobody asks.
type quiet struct{}

func (quiet) Joined(time.Duration)         {}
func (quiet) Packet([]byte, time.Duration) {}
func (quiet) Left(error)                   {}

// receiving is an open WebSocket and a read's worth of messages for it.
func receiving() (*webSocket, []byte) {
	c := &Client{group: &Group{opts: Options{Protocol: 4, Namespace: "/chat"}}, events: quiet{}}
	message := ws.MustCompileFrame(ws.NewTextFrame([]byte(`42/chat,["msgToClient",{"name":"chat-load","text":"~3f2a00070000012c00000009......."}]`)))
	var b []byte
	for range 100 {
		b = append(b, message...)
	}
	return &webSocket{c: c, open: true}, b
}

//go:build linux

package client

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"socketio-chat/pkg/load/message"
)

// sent is a carrier that keeps what is sent.
type sent struct{ all []string }

func (s *sent) send(kind byte, data []byte) {
	if kind != 0 {
		data = append([]byte{kind}, data...)
	}
	s.all = append(s.all, string(data))
}
func (s *sent) close() {}

func speaking(d Dialect) (*Client, *sent, *recorder) {
	r := &recorder{joined: make(chan struct{}, 1), packets: make(chan string, 10), left: make(chan error, 1)}
	s := &sent{}
	return &Client{group: &Group{opts: Options{Dialect: d, Transport: WebSocket}}, events: r, carrier: s}, s, r
}

// What a format writes and the server sends back in its own words is recognised.
func bodyOf(t *testing.T, d Dialect) (out, in string) {
	t.Helper()
	f, err := message.NewFormatIn(7, d.Wrapping("/chat", 32), 32)
	if err != nil {
		t.Fatal(err)
	}
	out = string(f.Append(nil, message.Mark{Sender: 3, Seq: 1}))
	body := out[strings.Index(out, `{"name"`) : strings.Index(out, `"}`)+2]
	if d == NATS {
		in = fmt.Sprintf("MSG chat 1 %d\r\n%s\r\n", len(body), body)
	} else {
		in = `{"push":{"channel":"chat","pub":{"data":` + body + `}}}`
	}
	if m, kind := f.Match([]byte(in)); kind != message.Ours || m.Sender != 3 {
		t.Errorf("%s is %v, %+v", in, kind, m)
	}
	return out, in
}

// NATS is a stream: wherever its WebSocket cuts it, the same messages come of it.
func TestNATSCutAnywhere(t *testing.T) {
	out, in := bodyOf(t, NATS)
	if want := fmt.Sprintf("PUB chat %d\r\n", message.BodyLen(32)); !strings.HasPrefix(out, want) {
		t.Errorf("sends %q, want %q at first", out, want)
	}
	stream := "INFO {\"server_id\":\"x\"}\r\nPONG\r\n" + in + "PING\r\n+OK\r\n" + in
	for cut := range len(stream) {
		c, s, r := speaking(NATS)
		c.hello()
		c.packet([]byte(stream[:cut]), 0)
		c.packet([]byte(stream[cut:]), 0)
		if len(r.joined) != 1 || len(r.packets) != 2 || <-r.packets != in || <-r.packets != in || len(r.left) > 0 {
			t.Fatalf("cut at %d: joined %d, %d packets, left %d", cut, len(r.joined), len(r.packets), len(r.left))
		}
		if len(s.all) != 2 || s.all[1] != "PONG\r\n" {
			t.Fatalf("cut at %d: sent %q", cut, s.all)
		}
	}
	for _, bad := range []string{"-ERR 'no'\r\n", "HTTP/1.1 400\r\n", "MSG chat 1 many\r\n", "MSG chat 1 -3\r\n"} {
		c, _, r := speaking(NATS)
		c.packet([]byte(bad), 0)
		if len(r.left) != 1 {
			t.Errorf("%q does not end the session", bad)
		}
	}
}

func TestCentrifuge(t *testing.T) {
	out, in := bodyOf(t, Centrifuge)
	c, s, r := speaking(Centrifuge)
	c.hello()
	c.packet([]byte(`{"id":1,"connect":{"client":"x","version":"0","ping":25,"pong":true}}`+"\n"+`{"id":2,"subscribe":{}}`), time.Second)
	c.packet([]byte(in+"\n{}\n"+in), time.Second)
	c.Send([]byte(out))
	if len(r.joined) != 1 || len(r.packets) != 2 || <-r.packets != in || <-r.packets != in {
		t.Errorf("joined %d, %d packets", len(r.joined), len(r.packets))
	}
	if want := []string{"{}", out}; !slices.Equal(s.all[1:], want) {
		t.Errorf("sent %q, want %q", s.all[1:], want)
	}
	c.packet([]byte(`{"id":2,"error":{"code":103,"message":"permission denied"}}`), 0)
	if len(r.left) != 1 {
		t.Error("a refusal does not end the session")
	}
}

func TestDialectsAreKnown(t *testing.T) {
	for _, o := range []Options{{Dialect: "irc", Transport: WebSocket}, {Dialect: NATS, Transport: Polling}} {
		o.Protocol = 4
		if _, err := NewGroup(nil, o); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
}

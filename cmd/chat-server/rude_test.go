package main

import (
	"bytes"
	"cmp"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
)

// rudeness are ways to come to a server and to go, or not to go, each on connections of its
// own. After each of them the client is gone without another word.
var rudeness = []struct {
	name string
	do   func(c *rudeClient)
}{
	{"connects and goes", func(c *rudeClient) { c.dial() }},
	{"connects and is silent", func(c *rudeClient) { c.dial().hearAll() }},
	{"is silent in the middle of a header", func(c *rudeClient) { c.dial().say("GET /socket.io/?EIO=4&tr").hearAll() }},
	{"half a request line", func(c *rudeClient) { c.dial().say("GET /socket.io/?EI") }},
	{"half a header", func(c *rudeClient) { c.dial().say("GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHo") }},
	{"does not wait for the page", func(c *rudeClient) { c.dial().say("GET / HTTP/1.1\r\nHost: x\r\n\r\n") }},
	{"asks for an unknown session", func(c *rudeClient) { c.sid = "nobody"; c.dial().request("GET", "polling", "").hear() }},

	{"WebSocket: does not wait for the answer", func(c *rudeClient) { c.dial().upgrade() }},
	{"WebSocket: never joins, and waits for the end", func(c *rudeClient) { c.open().hearAll() }},
	{"WebSocket: goes before the namespace has answered", func(c *rudeClient) { c.open().frame("40/chat,") }},
	{"WebSocket: goes after it has joined", func(c *rudeClient) { c.open().join() }},
	{"WebSocket: joins and leaves again and again", func(c *rudeClient) {
		for range 5 {
			c.open1().frame("40/chat,").frame("41/chat,")
		}
	}},
	{"WebSocket: an unknown namespace", func(c *rudeClient) { c.open().frame("40/nope,").hear() }},
	{"WebSocket: leaves the namespace and stays", func(c *rudeClient) { c.open().join().frame("41/chat,").hearAll() }},
	{"WebSocket: in the middle of a header", func(c *rudeClient) { c.open().join().say("\x81\xfe") }},
	{"WebSocket: in the middle of a frame", func(c *rudeClient) { c.open().join().say(string(masked(chatter)[:20])) }},
	{"WebSocket: in the middle of a long message", func(c *rudeClient) {
		c.open().join().say("\x01\xff\x00\x00\x00\x00\x00\x03\x00\x00\x00\x00\x00\x00" + strings.Repeat("x", 100_000))
	}},
	{"WebSocket: an unmasked frame", func(c *rudeClient) { c.open().join().say("\x81\x05hello") }},
	{"WebSocket: does not answer the close frame", func(c *rudeClient) { c.open().join().frame("9").hear() }},
	{"WebSocket: what no decoder knows", func(c *rudeClient) { c.open().join().frame(`42/chat,["x"`).hearAll() }},
	{"WebSocket: attachments that never come", func(c *rudeClient) {
		c.open().join().frame(`452-/chat,["msgToServer",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`)
	}},
	{"WebSocket: does not wait for its own words", func(c *rudeClient) { c.open().join().frame(chatter).frame(chatter) }},
	{"WebSocket: answers no heartbeat", func(c *rudeClient) { c.open().join().hearAll() }},

	{"polling: does not wait for the handshake", func(c *rudeClient) { c.dial().request("GET", "polling", "") }},
	{"polling: never polls", func(c *rudeClient) { c.handshake() }},
	{"polling: joins and never polls", func(c *rudeClient) { c.handshake().post("40/chat,").hear() }},
	{"polling: in the middle of a poll", func(c *rudeClient) { c.joinPolling(); c.dial().request("GET", "polling", "") }},
	{"polling: two polls at once", func(c *rudeClient) {
		c.joinPolling()
		first := *c
		first.dial().request("GET", "polling", "")
		c.dial().request("GET", "polling", "").hear()
		first.leave()
	}},
	{"polling: in the middle of a POST", func(c *rudeClient) {
		c.handshake().dial().say("POST " + c.target("polling") + " HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n4")
	}},
	{"polling: is silent in the middle of a POST", func(c *rudeClient) {
		c.handshake().dial().say("POST " + c.target("polling") + " HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n4").hearAll()
	}},
	{"polling: an undecodable POST", func(c *rudeClient) { c.handshake().post("\x00\x00").hear() }},
	{"polling: says goodbye and comes back", func(c *rudeClient) { c.joinPolling().post("1").hear(); c.dial().request("GET", "polling", "").hear() }},

	{"a body that nobody wants", func(c *rudeClient) {
		c.dial().say("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n").hearAll()
	}},
	{"pages that are not read", func(c *rudeClient) { c.dial().say(strings.Repeat("GET / HTTP/1.1\r\nHost: x\r\n\r\n", 50)) }},
	{"refusals that are not read", func(c *rudeClient) {
		c.dial().say(strings.Repeat("GET "+c.target("polling")+"&sid=nobody HTTP/1.1\r\nHost: x\r\n\r\n", 200))
	}},
	{"handshakes that are not read", func(c *rudeClient) {
		c.dial().say(strings.Repeat("GET "+c.target("polling")+" HTTP/1.1\r\nHost: x\r\n\r\n", 5))
	}},
	{"WebSocket: a header and no payload", func(c *rudeClient) { c.open().join().say("\x81\xff\x00\x00\x00\x00\x00\x0f\x00\x00mask").hearAll() }},
	{"WebSocket: fragments without an end", func(c *rudeClient) {
		c.open().join().say("\x01\x81mask\x00" + strings.Repeat("\x00\x81mask\x00", 50)).hearAll()
	}},
	{"WebSocket: ends its direction only", func(c *rudeClient) { c.open().join().halfClose().hearAll() }},
	{"WebSocket: says that it closes, and stays", func(c *rudeClient) { c.open().join().say("\x88\x80mask").hearAll() }},
	{"WebSocket: a session to recover that never was", func(c *rudeClient) { c.open().frame(`40/chat,{"pid":"x","offset":"y"}`).hear() }},
	{"WebSocket: namespaces that are not", func(c *rudeClient) {
		for i := range 50 {
			c.open1().frame(fmt.Sprintf("40/not%d,", i))
		}
	}},
	{"WebSocket: acknowledgements nobody wants", func(c *rudeClient) { c.open().join().again(50, `43/chat,1[1]`) }},
	{"WebSocket: asks for all there is and reads nothing", func(c *rudeClient) {
		c.open().join().again(20, `42/chat,1["history",{"limit":200}]`, `42/chat,2["presence",{}]`, `42/chat,3["rooms",{}]`,
			`42/chat,4["features",{}]`, `42/chat,5["history",{"room":"rude"}]`)
	}},
	{"WebSocket: joins and leaves rooms", func(c *rudeClient) {
		for i := range 20 {
			c.open1().again(1, fmt.Sprintf(`42/chat,1["join",{"room":"r%d"}]`, i), fmt.Sprintf(`42/chat,1["leave",{"room":"r%d"}]`, i-1))
		}
	}},
	{"WebSocket: watches who is there, and types", func(c *rudeClient) {
		c.open().join().again(5, `42/chat,1["presence:watch",{}]`, `42/chat,["typing",{"name":"rude"}]`)
	}},
	{"WebSocket: says the same again and again", func(c *rudeClient) { c.open().join().again(20, `42/chat,1["send",{"payload":"rude","id":"rude"}]`) }},
	{"WebSocket: questions that make no sense", func(c *rudeClient) {
		c.open().join().again(3, `42/chat,1["history",null]`, `42/chat,1["send",{"room":"\ud800"}]`, `42/chat,1["join",{"room":{}}]`,
			`42/chat,1["presence",[[]]]`, `42/chat,1["typing",1e999]`, `42/chat,1["leave",{"room":"never"}]`).hearAll()
	}},

	{"upgrade: probes without end", func(c *rudeClient) { c.joinPolling().dial().upgrade().hear().again(20, "2probe").hearAll() }},
	{"upgrade: before the answer", func(c *rudeClient) { c.handshake().dial().upgrade() }},
	{"upgrade: opens a WebSocket and is silent", func(c *rudeClient) { c.handshake().dial().upgrade().hear().hearAll() }},
	{"upgrade: before the probe", func(c *rudeClient) { c.joinPolling().dial().upgrade().hear() }},
	{"upgrade: after the probe", func(c *rudeClient) { c.joinPolling().dial().upgrade().hear().frame("2probe") }},
	{"upgrade: after the probe's answer", func(c *rudeClient) { c.joinPolling().dial().upgrade().hear().frame("2probe").hear() }},
	{"upgrade: at the moment of it", func(c *rudeClient) {
		c.joinPolling().dial().upgrade().hear().frame("2probe").hear().frame("5")
	}},
	{"upgrade: after it", func(c *rudeClient) {
		c.joinPolling().dial().upgrade().hear().frame("2probe").hear().frame("5").frame(chatter).hear()
	}},
	{"upgrade: two at once", func(c *rudeClient) {
		c.joinPolling()
		first := *c
		first.dial().upgrade().hear().frame("2probe")
		c.dial().upgrade().hear().frame("2probe")
		first.leave()
	}},
}

const chatter = `42/chat,["msgToServer",{"name":"rude","text":"hello"}]`

// A rudeClient does what it is told on a TCP connection. The server may be the first to
// end that; it goes on all the same.
type rudeClient struct {
	t     testing.TB
	addr  string
	eio   int
	sid   string
	reset bool // leave with RST instead of FIN
	// patience is how long it stays on a connection, whatever it is in the middle of; 0: 20 s.
	patience time.Duration
	nc       *net.TCPConn
	last     []byte // what hear got
}

// dial opens a connection in place of the one there may be.
func (c *rudeClient) dial() *rudeClient {
	c.leave()
	nc, err := net.Dial("tcp", c.addr)
	if err != nil {
		c.t.Error(err)
		return c
	}
	c.nc = nc.(*net.TCPConn)
	_ = c.nc.SetDeadline(time.Now().Add(cmp.Or(c.patience, 20*time.Second)))
	return c
}

func (c *rudeClient) leave() {
	if c.nc == nil {
		return
	}
	if c.reset {
		_ = c.nc.SetLinger(0)
	}
	_ = c.nc.Close()
	c.nc = nil
}

func (c *rudeClient) say(s string) *rudeClient {
	if c.nc != nil {
		_, _ = c.nc.Write([]byte(s))
	}
	return c
}

// hear waits for something.
func (c *rudeClient) hear() *rudeClient {
	if c.nc != nil {
		b := make([]byte, 2048)
		n, _ := c.nc.Read(b)
		c.last = b[:n]
	}
	return c
}

// hearAll reads until the server ends the connection, or says that it is about to, and
// answers nothing.
func (c *rudeClient) hearAll() {
	for c.hear(); len(c.last) > 0 && bytes.IndexByte(c.last, 0x88) < 0; c.hear() {
		continue
	}
}

func (c *rudeClient) target(transport string) string {
	target := fmt.Sprintf("/socket.io/?EIO=%d&transport=%s", c.eio, transport)
	if c.sid != "" {
		target += "&sid=" + c.sid
	}
	return target
}

func (c *rudeClient) request(method, transport, body string) *rudeClient {
	return c.say(fmt.Sprintf("%s %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", method, c.target(transport), len(body), body))
}

// handshake opens a session by polling, unless somebody's time is over, and its connection is gone.
func (c *rudeClient) handshake() *rudeClient {
	c.dial().request("GET", "polling", "")
	for c.hear(); !bytes.Contains(c.last, []byte(`"sid":"`)); c.hear() {
		if len(c.last) == 0 { // the server's patience is short, too, or its client's was
			c.leave()
			return c
		}
	}
	_, rest, _ := bytes.Cut(c.last, []byte(`"sid":"`))
	id, _, _ := bytes.Cut(rest, []byte(`"`))
	c.sid = string(id)
	c.leave()
	return c
}

// post sends packets in the payload form of the protocol, on a connection of its own.
func (c *rudeClient) post(packet string) *rudeClient {
	if c.eio == 3 {
		packet = fmt.Sprintf("%d:%s", len(packet), packet)
	}
	return c.dial().request("POST", "polling", packet)
}

func (c *rudeClient) joinPolling() *rudeClient { return c.handshake().post("40/chat,").hear() }

// upgrade asks for a WebSocket.
func (c *rudeClient) upgrade() *rudeClient {
	return c.say("GET " + c.target("websocket") + " HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
}

// open opens a session over WebSocket.
func (c *rudeClient) open() *rudeClient { return c.dial().upgrade().hear() }

// open1 is open, once.
func (c *rudeClient) open1() *rudeClient {
	if c.nc == nil {
		return c.open()
	}
	return c
}

func (c *rudeClient) frame(text string) *rudeClient { return c.say(string(masked(text))) }

// again sends packets n times, one after another.
func (c *rudeClient) again(n int, packets ...string) *rudeClient {
	for range n {
		for _, packet := range packets {
			c.frame(packet)
		}
	}
	return c
}

// halfClose ends the client's direction of the connection.
func (c *rudeClient) halfClose() *rudeClient {
	if c.nc != nil {
		_ = c.nc.CloseWrite() // the server may be the first
	}
	return c
}

// join waits for the namespace's answer, or for as long as the server does.
func (c *rudeClient) join() *rudeClient {
	c.frame("40/chat,")
	for c.hear(); len(c.last) > 0 && !bytes.Contains(c.last, []byte("40/chat")); c.hear() {
		continue
	}
	return c
}

func masked(text string) []byte {
	frame, _ := ws.CompileFrame(ws.MaskFrameInPlace(ws.NewTextFrame([]byte(text)))) // to memory, cannot fail
	return frame
}

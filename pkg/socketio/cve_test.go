package socketio

import (
	"context"
	"runtime"
	"strings"
	"testing"

	"github.com/zishang520/socket.io/v2/socket"
)

// What brought other Socket.IO servers down, one test for each (those of the transport
// are in pkg/engineio). In all of them a bystander's conversation goes on.

// A gateway is a chat with a bystander in it.
type gateway struct {
	*testServer
	heard     chan Payload // what msgToServer brought
	bystander *testClient
	protocol  int
}

// throughGateways runs the test with clients of both protocols.
func throughGateways(t *testing.T, test func(t *testing.T, g *gateway)) {
	bothProtocols(t, func(t *testing.T, protocol int) {
		g := &gateway{testServer: newTestServer(t, Options{}), heard: make(chan Payload, 100), protocol: protocol}
		On(g.Of("/chat"), "msgToServer", func(_ context.Context, _ *socket.Socket, in Payload) error {
			g.heard <- in
			return nil
		})
		Handle(g.Of("/chat"), "echo", func(_ context.Context, _ *socket.Socket, in Payload) (Payload, error) { return in, nil })
		g.bystander = g.dialJoined(t, 4, "/chat")
		test(t, g)
		g.bystander.send(`2/chat,1["echo","still here"]`)
		g.bystander.want(`3/chat,1["still here"]`)
	})
}

func (g *gateway) mallory(t *testing.T) *testClient { return g.dialJoined(t, g.protocol, "/chat") }

// Packets whose numbers never end were copied once for each digit.
func TestCVE_2020_36049(t *testing.T) {
	digits := strings.Repeat("9", 900_000)
	throughGateways(t, func(t *testing.T, g *gateway) {
		for _, packet := range []string{
			"5" + digits,                   // the number of attachments
			"5" + digits + `-/chat,["x"]`,  //
			"2/chat," + digits + `["x"]`,   // the id of an acknowledgement
			"3/chat," + digits + `["x"]`,   //
			"0/" + digits,                  // a namespace
			"2/" + digits + `,["x"]`,       //
			"51" + `-/chat,["x",` + digits, // what comes before the attachment
		} {
			mallory := g.mallory(t)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			mallory.send(packet)
			switch {
			case strings.HasPrefix(packet, "0") && g.protocol == 4:
				mallory.next() // the namespace is refused, in few words or many
			case strings.HasPrefix(packet, "0"), strings.HasPrefix(packet, "2/9") && g.protocol == 3:
			case strings.HasPrefix(packet, "2/chat"), strings.HasPrefix(packet, "3/chat"): // an id may be of any length
				mallory.send(`2/chat,1["echo","done"]`)
				mallory.want(`3/chat,1["done"]`)
			default:
				mallory.wantClosed()
			}
			runtime.ReadMemStats(&after)
			if took := after.TotalAlloc - before.TotalAlloc; took > 40*uint64(len(digits)) {
				t.Errorf("%.20s…: %d bytes were allocated for a packet of %d", packet, took, len(packet))
			}
		}
	})
}

// Placeholders whose number was no number put functions where data belongs.
func TestCVE_2022_2421(t *testing.T) {
	throughGateways(t, func(t *testing.T, g *gateway) {
		for _, num := range []string{`"splice"`, `"length"`, `"0"`, `-1`, `1`, `0.5`, `1e0`, `null`, `true`, `[0]`, `{"toString":"x"}`} {
			mallory := g.mallory(t)
			mallory.send(`51-/chat,["msgToServer",{"_placeholder":true,"num":` + num + `}]`)
			mallory.sendBinary("A")
			mallory.wantClosed()
		}
		if len(g.heard) > 0 {
			t.Errorf("a handler got %s", (<-g.heard).JSON)
		}
	})
}

// An event whose name was an object without a usable toString ended the process.
func TestCVE_2023_32695(t *testing.T) {
	throughGateways(t, func(t *testing.T, g *gateway) {
		for _, data := range []string{
			`[{"toString":"foo"}]`, `[{"toString":1},"x"]`, `[["x"]]`, `[null]`, `[true,1]`, `[]`, `{}`, `""`,
		} {
			mallory := g.mallory(t)
			mallory.send("2/chat," + data)
			mallory.wantClosed()
		}
	})
}

// An event of the name "error", which nobody listened to, ended the process.
func TestCVE_2024_38355(t *testing.T) {
	throughGateways(t, func(t *testing.T, g *gateway) {
		mallory := g.mallory(t)
		for _, data := range []string{`["error"]`, `["error",{"message":"x"}]`, `["error","x","y"]`} {
			mallory.send("2/chat," + data)
		}
		mallory.send(`2/chat,2["echo","no harm done"]`)
		mallory.want(`3/chat,2["no harm done"]`)
	})
}

// Events announced attachments without end, all of which were waited for and kept.
func TestCVE_2026_33151(t *testing.T) {
	throughGateways(t, func(t *testing.T, g *gateway) {
		for _, count := range []string{"11", "100", "4294967297", "1000000"} {
			mallory := g.mallory(t)
			mallory.send("5" + count + `-/chat,["msgToServer",{"_placeholder":true,"num":0}]`)
			mallory.wantClosed() // at once, not after the attachments
		}
		mallory := g.mallory(t)
		parts := make([]string, 10)
		for i := range parts {
			parts[i] = `{"_placeholder":true,"num":` + string(rune('0'+i)) + `}`
		}
		mallory.send(`510-/chat,["msgToServer",[` + strings.Join(parts, ",") + `]]`)
		for range parts {
			mallory.sendBinary("A")
		}
		if in := receive(t, g.heard); len(in.Attachments) != 10 {
			t.Errorf("%d attachments arrived of 10", len(in.Attachments))
		}
	})
}

package socketio

import (
	"strings"
	"testing"
)

// Events that announce attachments and have none, or name none, were kept half finished (socket.io-parser
// before 4.2.7, 3.4.5 and 3.3.6).
func TestCVE_2026_69185(t *testing.T) {
	throughGateways(t, func(t *testing.T, g *gateway) {
		for _, packet := range []string{`50-/chat,["msgToServer","x"]`, `60-/chat,1["x"]`, `50-`, `5-/chat,["msgToServer","x"]`} {
			mallory := g.mallory(t)
			mallory.send(packet)
			mallory.send(packet)
			mallory.wantClosed()
		}
		if len(g.heard) > 0 {
			t.Errorf("a handler got %s", (<-g.heard).JSON)
		}
	})
}

// Attachments that belong to no event were collected without end (python-socketio before 5.16.2).
func TestCVE_2026_48804(t *testing.T) {
	throughGateways(t, func(t *testing.T, g *gateway) {
		mallory := g.mallory(t)
		mallory.sendBinary("A") // nothing announced it
		mallory.wantClosed()
		mallory = g.mallory(t)
		mallory.send(`51-/chat,["msgToServer",{"_placeholder":true,"num":0}]`)
		mallory.sendBinary(strings.Repeat("A", 1000))
		if in := receive(t, g.heard); len(in.Attachments) != 1 {
			t.Errorf("%d attachments", len(in.Attachments))
		}
		mallory.sendBinary("B") // one more than was announced
		mallory.wantClosed()
	})
}

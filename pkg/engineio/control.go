package engineio

import (
	"time"

	"github.com/gobwas/ws"

	"socketio-chat/pkg/engineio/internal/wsframe"
)

// Frames and packets that carry no message cost their sender two bytes and the server some work and, often,
// an answer. The layer above never sees them, so they are counted here: WebSocket pings and pongs, fragments
// of next to no bytes, and all packets of the engine's own, probes among them, however they come.

// DefaultControlFrames is how many of these a client may send in a second. A client needs one for each
// heartbeat and a few for an upgrade.
const DefaultControlFrames = 100

// controlBurst is for how long a client may save up what it does not send.
const controlBurst = 10 * time.Second

// shortFragment is what a fragment must at least have, unless it is the last of its message, for not being
// counted: its frame must not be most of what it costs.
const shortFragment = 128

// pongCost is what a pong takes beside the bytes of its frame: unlike what is broadcast it is made for one
// connection.
const pongCost = 48

var errControlFrames = wsframe.Error{Code: ws.StatusPolicyViolation, Text: "too many control frames"}

// mayControl counts one frame or packet without a message. It reports false if that is one too many: then
// what it came by must be closed.
func (c *Conn) mayControl() bool {
	perSecond := c.server.opts.ControlFrames
	if perSecond < 0 || c.intake.mayControl(c.sinceHandshake(), perSecond) {
		return true
	}
	c.server.stats.controlFrames.Add(1)
	return false
}

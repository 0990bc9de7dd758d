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
// what it came by must be closed. Any goroutine may call it: during an upgrade two read.
//
// controls is the moment at which the client has saved up all it may (as a bucket is in pkg/socketio). Its
// clock starts again every 71 minutes, so what cannot be, or is over, is as if it was now.
func (c *Conn) mayControl() bool {
	perSecond := c.server.opts.ControlFrames
	if perSecond < 0 {
		return true
	}
	const most = uint32(controlBurst / time.Microsecond)
	cost, now := uint32(1e6/perSecond), c.sinceHandshake()
	for {
		was := c.controls.Load()
		ahead := was - now
		if ahead > most {
			ahead = 0
		}
		if ahead+cost > most {
			c.server.stats.controlFrames.Add(1)
			return false
		}
		if c.controls.CompareAndSwap(was, now+ahead+cost) {
			return true
		}
	}
}

package engineio

import (
	"sync"
	"sync/atomic"
	"time"
)

// An intake hands what the client sends to the receiver, one thing after another, and counts it.
// The reader of a WebSocket, the handlers of POSTs, and the last call of the receiver meet here.
// Its lock is taken before Conn.mu.
type intake struct {
	mu       sync.Mutex    // held while the receiver runs; makes its calls follow one another
	receiver Receiver      // set before the first packet is received
	posting  atomic.Bool   // a POST is being read
	controls atomic.Uint32 // when all that the client may send of control frames is saved up; see mayControl
	taken    atomic.Int64  // bytes received lately; see Server.Shed
	inHand   atomic.Int64  // memory of what was received and is not dealt with; see Conn.Hold
}

// took notes bytes that were read for the connection.
func (i *intake) took(n int) { i.taken.Add(int64(n)) }

// age makes what was taken before count half.
func (i *intake) age() {
	if n := i.taken.Load(); n > 0 {
		i.taken.Add(-(n + 1) / 2)
	}
}

// mayControl counts one frame or packet without a message, at the time now of Conn.sinceHandshake. It reports
// false if that is one too many a second. Any goroutine may call it: during an upgrade two read.
//
// controls is the moment at which the client has saved up all it may (as a bucket is in pkg/socketio). Its
// clock starts again every 71 minutes, so what cannot be, or is over, is as if it was now.
func (i *intake) mayControl(now uint32, perSecond int) bool {
	const most = uint32(controlBurst / time.Microsecond)
	cost := uint32(1e6 / perSecond)
	for {
		was := i.controls.Load()
		ahead := was - now
		if ahead > most {
			ahead = 0
		}
		if ahead+cost > most {
			return false
		}
		if i.controls.CompareAndSwap(was, now+ahead+cost) {
			return true
		}
	}
}

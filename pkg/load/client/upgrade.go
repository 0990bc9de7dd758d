//go:build linux

package client

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"
)

const probeText = "probe"

// upgrade moves a session from polling to a WebSocket:
//
//	WebSocket ── 2probe ─► ◄─ 3probe ──   then no new GET or POST begins,
//	polling   ◄─ what was left, or 6 ──   the waiting GET is answered, the last POST too,
//	WebSocket ── 5 ─►                     and everything goes over the WebSocket.
//
// A failed attempt leaves the session on polling. The nil *upgrade is one that is not under way.
type upgrade struct {
	c     *Client
	from  *polling
	to    *webSocket
	pause bool // the server has answered the probe
}

func (p *polling) startUpgrade() {
	u := &upgrade{c: p.c, from: p}
	p.upgrade = u
	u.to = newWebSocket(p.c, "sid="+p.c.sid)
	u.to.probe = u
}

// answered gets the server's first message on the new WebSocket.
func (u *upgrade) answered(message []byte, now time.Duration) {
	if string(message) != string(rune(enginePong))+probeText {
		u.to.close()
		u.failed(now)
		return
	}
	u.pause = true
	u.proceed(now)
}

func (u *upgrade) pausing() bool { return u != nil && u.pause }

// proceed finishes the move when polling has come to rest.
func (u *upgrade) proceed(now time.Duration) {
	if !u.pausing() || u.from.get.busy() || u.from.post.busy() || u.from.closed {
		return
	}
	u.to.probe = nil
	u.to.send(engineUpgrade, nil)
	queued := u.from.queue
	u.from.upgrade = nil
	u.from.close()
	u.c.carrier = u.to
	for len(queued) > 0 {
		packet, rest, err := cutPacket(queued, u.c.group.opts.Protocol)
		if err != nil {
			u.c.fail(err) // cannot be: send wrote it
			return
		}
		u.to.send(packet[0], packet[1:])
		queued = rest
	}
	u.c.upgrading = false
	u.c.settled(now)
}

// failed leaves the session on polling.
func (u *upgrade) failed(now time.Duration) {
	u.from.upgrade = nil
	u.c.upgrading = false
	if u.from.closed {
		return
	}
	if u.pause {
		u.c.fail(errors.New("the WebSocket was cut during the upgrade to it"))
		return
	}
	u.c.settled(now)
}

// abandon ends an attempt together with its session.
func (u *upgrade) abandon() {
	if u != nil {
		u.to.close()
	}
}

// isReset says whether a connection was ended by the peer while we wrote to it.
func isReset(err error) bool { return errors.Is(err, unix.ECONNRESET) || errors.Is(err, unix.EPIPE) }

package hub

import (
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
)

// settle counts what became of items and returns those to try again; publishes are the commands of
// those that are messages, broken is set if the connection broke. err ends the connection.
func (p *publisher) settle(items []item, publishes []redis.Cmder, broken error) (back []item, err error) {
	h, nothingSent := p.h, broken != nil && p.link.conn.written.Load() == 0
	last := len(publishes) - 1 // that was accepted
	for last >= 0 && publishes[last].Err() != nil && !answered(publishes[last]) {
		last--
	}
	err = broken
	for i, cmd := range publishes {
		cmdErr := cmd.Err()
		switch {
		case cmdErr == nil || answered(cmd):
			h.published.Add(1)
			if items[i].Entry != nil {
				h.durable.accepted(cmd)
			}
		case refused(cmdErr):
			verdict := judge(cmdErr)
			if cmdErr = permission(cmdErr, "channel "+items[i].Channel); isDenied(cmdErr) && items[i].Entry == nil && strings.Contains(reason(cmdErr), "channel") {
				verdict = forGood // this channel; others may be allowed
			}
			if verdict == forGood || i < last { // one that was overtaken would come out of order
				h.dropped.Add(1)
				h.fault.warn("Redis refused to publish a message", cmdErr)
				continue
			}
			back = append(back, items[i])
			if verdict == elsewhere && err == nil {
				err = fmt.Errorf("publish: %w", cmdErr)
			} else if verdict == forNow {
				p.hold(cmdErr)
			}
		case nothingSent:
			back = append(back, items[i])
		case items[i].Entry != nil:
			items[i].unsure = true
			back = append(back, items[i])
		default:
			h.unknown.Add(1)
			h.fault.warn("connection broke while publishing; messages may not have reached the other instances", broken)
		}
	}
	switch {
	case last >= 0 && !p.held:
		p.pause.reset()
	case len(back) > 0 && len(back) == len(publishes) && err == nil:
		p.hold(publishes[0].Err()) // nothing was taken and nothing said why: not to be asked again at once
	}
	return back, err
}

// hold stops publishing for a while, because Redis has a reason to take nothing now.
func (p *publisher) hold(reason error) {
	if p.held {
		return
	}
	p.held = true
	p.retry.Reset(p.pause.step())
	p.h.fault.warn("Redis takes no messages now; they wait", reason)
}

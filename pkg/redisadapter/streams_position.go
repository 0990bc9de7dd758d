package redisadapter

import (
	"errors"
	"fmt"
)

// Faults of a stream that cost entries.
var (
	errStreamGone    = errors.New("the stream is gone; Redis came back without its data, or somebody deleted it")
	errStreamBack    = errors.New("the stream ends before what was read already; Redis came back with older data")
	errStreamNew     = errors.New("the stream has fewer entries than were read already; it was made anew")
	errStreamTrimmed = errors.New("the stream was trimmed beyond what was read; make it longer")
	errSeqJump       = errors.New("messages of another instance are missing; it gave them up or they were trimmed")
)

// streamInfo is what XINFO STREAM tells. The zero value is a stream that does not exist.
type streamInfo struct {
	exists bool
	last   streamID // id given out last
	first  streamID // of the entry that is oldest now
	length int64
	added  int64 // entries that were ever added, -1: this Redis (before 7) does not count
}

// position is how far a stream was read. index counts entries from the beginning of the stream, as
// its server does; it tells how many were trimmed away unread.
type position struct {
	id     streamID
	index  int64      // -1: unknown
	recent []streamID // the latest that were read, a ring
	next   int        // in recent
}

const recentIDs = 1024

// advance notes an entry that was read.
func (p *position) advance(id streamID) {
	p.id = id
	if p.index >= 0 {
		p.index++
	}
	if len(p.recent) < recentIDs {
		p.recent = append(p.recent, id)
		return
	}
	p.recent[p.next] = id
	p.next = (p.next + 1) % recentIDs
}

func (p *position) wasRead(id streamID) bool {
	for _, r := range p.recent {
		if r == id {
			return true
		}
	}
	return false
}

// check compares the position with what the stream looks like before the next read, and moves it to
// where there is something to read. A gap is reported with the number of entries that are lost, 0
// when nobody knows.
func (p *position) check(info streamInfo) (lost int64, gap error) {
	none := p.id == streamID{}
	switch {
	case !info.exists:
		p.index = 0
		if none {
			return 0, nil
		}
		p.id = streamID{}
		return 0, errStreamGone
	case info.last.compare(p.id) < 0:
		back := p.id
		if p.id, p.index = info.last, info.added; !p.wasRead(info.last) {
			p.id, p.index = streamID{}, -1 // another history: all of it is new
		}
		return 0, fmt.Errorf("%w: %v after %v", errStreamBack, info.last, back)
	case p.index >= 0 && info.added >= 0 && info.added < p.index:
		p.index = -1
		return 0, errStreamNew
	case p.index >= 0 && info.added >= 0:
		if before := info.added - info.length; before > p.index {
			lost, p.index = before-p.index, before
			return lost, fmt.Errorf("%w: %d entries", errStreamTrimmed, lost)
		}
	case !none && info.length > 0 && info.first.compare(p.id) > 0 && !(info.added >= 0 && info.added == info.length):
		// Only a server that does not count comes here with an entry missing for certain: the one
		// that was read last. Others may be missing with it.
		return 0, errStreamTrimmed
	}
	return 0, nil
}

// caughtUp notes that everything was read that info knows of.
func (p *position) caughtUp(info streamInfo) {
	if info.exists && p.id == info.last {
		p.index = info.added
	}
}

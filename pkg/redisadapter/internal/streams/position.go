package streams

import (
	"errors"
	"fmt"
	"slices"
)

// Faults of a stream that cost entries.
var (
	errStreamGone    = errors.New("the stream is gone; Redis came back without its data, or somebody deleted it")
	errStreamBack    = errors.New("the stream ends before what was read already; Redis came back with older data")
	errStreamNew     = errors.New("the stream does not have what was read already; it was made anew")
	errStreamForked  = errors.New("the stream does not have what was read last, and goes on behind it; Redis came back with older data")
	errStreamTrimmed = errors.New("the stream was trimmed beyond what was read; make it longer")
	ErrSeqJump       = errors.New("messages of another instance are missing; it gave them up or they were trimmed")
	ErrForgotten     = errors.New("another instance tells that Redis came back with older data; what is missing was not read here")
)

// Info is what XINFO STREAM tells, and one look for an entry. The zero value is a stream that does not exist.
type Info struct {
	Exists bool
	Last   ID // id given out last
	First  ID // of the entry that is oldest now
	Newest ID // of the entry that is newest now: Last, unless that was deleted or trimmed
	Length int64
	Added  int64 // entries that were ever added, -1: this Redis (before 7) does not count
	Holds  bool  // the entry that was looked for is there
}

// Forgot tells whether an entry, which was looked for, was in the stream once, and neither is there nor can have been trimmed away: Redis has
// come back without it.
func (i Info) Forgot(id ID) bool {
	switch {
	case id == ID{} || i.Holds:
		return false
	case !i.Exists || i.Last.Compare(id) < 0:
		return true
	case i.Length > 0 && i.First.Compare(id) <= 0:
		return i.Added >= 0 // otherwise somebody may have deleted it
	}
	return i.Added >= 0 && i.Added == i.Length // nothing was ever trimmed
}

// lacks tells whether the entry that was read last is not in the stream, although a server that counts says that nothing was
// trimmed that far: the stream is another one, which has as many entries by now.
func (i Info) lacks(p *Position) bool {
	return i.Length > 0 && i.Added-i.Length < p.Index && i.First.Compare(p.Id) > 0
}

// Forgetful tells a gap that comes of a Redis with less than it had from one of a stream that is too short.
func Forgetful(gap error) bool { return gap != nil && !errors.Is(gap, errStreamTrimmed) }

// Position is how far a stream was read. index counts entries from the beginning of the stream, as
// its server does; it tells how many were trimmed away unread.
type Position struct {
	Id     ID
	Index  int64 // -1: unknown
	recent []ID  // the latest that were read, a ring
	next   int   // in recent
}

const recentIDs = 1024

// End is the end of a stream.
func End(info Info) Position {
	p := Position{Id: info.Last, Index: info.Added}
	if !info.Exists {
		p.Index = 0
	}
	if info.Exists && info.Newest == info.Last {
		p.recent = []ID{info.Last}
	}
	return p
}

// Advance notes an entry that was read.
func (p *Position) Advance(id ID) {
	p.Id = id
	if p.Index >= 0 {
		p.Index++
	}
	if len(p.recent) < recentIDs {
		p.recent = append(p.recent, id)
		return
	}
	p.recent[p.next] = id
	p.next = (p.next + 1) % recentIDs
}

func (p *Position) wasRead(id ID) bool {
	for _, r := range p.recent {
		if r == id {
			return true
		}
	}
	return false
}

// Check compares the position with what the stream looks like before the next read, and moves it to
// where there is something to read. A gap is reported with the number of entries that are lost, 0
// when nobody knows.
func (p *Position) Check(info Info) (lost int64, gap error) {
	none := p.Id == ID{}
	switch {
	case !info.Exists:
		p.Index = 0
		if none {
			return 0, nil
		}
		p.Id = ID{}
		return 0, errStreamGone
	case info.Last.Compare(p.Id) < 0:
		back := p.Id
		if p.Id, p.Index = info.Last, info.Added; !p.wasRead(info.Last) {
			p.Id, p.Index = ID{}, -1 // another history: all of it is new
		}
		return 0, fmt.Errorf("%w: %v after %v", errStreamBack, info.Last, back)
	case p.Index >= 0 && info.Added >= 0 && (info.Added < p.Index || !none && info.lacks(p)):
		p.Index = -1
		return 0, errStreamNew
	case p.wasRead(p.Id) && info.Forgot(p.Id):
		p.Index = -1
		p.recent, p.next = slices.DeleteFunc(p.recent, func(id ID) bool { return id == p.Id }), 0 // told once
		return 0, errStreamForked
	case p.Index >= 0 && info.Added >= 0:
		if before := info.Added - info.Length; before > p.Index {
			lost, p.Index = before-p.Index, before
			return lost, fmt.Errorf("%w: %d entries", errStreamTrimmed, lost)
		}
	case !none && info.Length > 0 && info.First.Compare(p.Id) > 0 && !(info.Added >= 0 && info.Added == info.Length):
		// Only a server that does not count comes here with an entry missing for certain: the one
		// that was read last. Others may be missing with it.
		return 0, errStreamTrimmed
	}
	return 0, nil
}

// CaughtUp notes that everything was read that info knows of.
func (p *Position) CaughtUp(info Info) {
	if info.Exists && p.Id == info.Last {
		p.Index = info.Added
	}
}

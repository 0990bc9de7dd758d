package socketio

import (
	"math"
	"time"

	"github.com/zishang520/engine.io/v2/types"
	"github.com/zishang520/socket.io/v2/socket"
)

// A session is what outlives the connection of a client of protocol 5. Guarded by the adapter's lock.
type session struct {
	state   sessionState
	exit    sessionExit // how it ended
	adopted bool        // it began on another instance; see sessions.owners
	pid     socket.PrivateSessionId
	sid     socket.SocketId
	link    *link // its holder, nil while parked
	data    any   // Socket.Data, while it is away or returning

	// What the client may have missed: prefix, which another instance knew, then those in the journal
	// from start on that wants selects and skip does not take out.
	base   string // the offset of a client that has received none of these events: the one it connected with
	prefix []entry
	// The prefix is forgotten at prefixUntil (Unix ms); until then its bytes are accounted for.
	prefixUntil, prefixSize int64

	joined uint64 // see member; 0 for one of another instance: it was there before
	start  uint64
	skip   map[uint64]uint64 // origin: up to which number its events are in the prefix
	stays  []stay
	unsure uint64 // stays that ended before this number are forgotten

	// From when it went away until it is attached again.
	awaySince int64         // Unix ms
	turn      uint64        // how many times it went away
	size      int64         // bytes that are accounted for it
	next      cursor        // what is sent next
	changed   chan struct{} // closed at the next change of state; made when somebody waits for that
}

// A stay is the time a socket was in a room: it gets the events numbered from … to-1.
type stay struct {
	room     socket.Room
	from, to uint64
}

const stillThere = math.MaxUint64

// maxStays bounds how many ended stays are remembered.
const maxStays = 256

// cursor is a place in what a session missed.
type cursor struct {
	prefix int
	seq    uint64
}

func (s *session) enter(room socket.Room, head uint64) {
	s.stays = append(s.stays, stay{room, head, stillThere})
}

func (s *session) leave(room socket.Room, j *journal) {
	ended := 0
	for i := range s.stays {
		if st := &s.stays[i]; st.room == room && st.to == stillThere {
			st.to = j.head()
		}
		if s.stays[i].to != stillThere {
			ended++
		}
	}
	if ended <= maxStays/2 {
		return
	}
	kept := s.stays[:0]
	for _, st := range s.stays {
		switch {
		case st.to == stillThere || st.to > j.floor && ended <= maxStays:
			kept = append(kept, st)
		case st.to > j.floor:
			s.unsure = max(s.unsure, st.to)
		}
	}
	clear(s.stays[len(kept):])
	s.stays = kept
}

// rooms are those the session is in.
func (s *session) rooms() []socket.Room {
	var rooms []socket.Room
	for _, st := range s.stays {
		if st.to == stillThere {
			rooms = append(rooms, st.room)
		}
	}
	return rooms
}

func (s *session) in(rooms []socket.Room, seq uint64) bool {
	for i := range s.stays {
		st := &s.stays[i]
		if seq < st.from || seq >= st.to {
			continue
		}
		for _, room := range rooms {
			if room == st.room {
				return true
			}
		}
	}
	return false
}

// wants tells whether the event with this number was due to the socket.
func (s *session) wants(e *entry, seq uint64) bool {
	if len(e.rooms) > 0 && !s.in(e.rooms, seq) || len(e.except) > 0 && s.in(e.except, seq) {
		return false
	}
	return !s.skips(e.id) && (e.horizon == 0 || s.joined <= e.horizon)
}

// skips tells whether an event was in the prefix.
func (s *session) skips(id PacketID) bool {
	return s.skip != nil && id.N <= s.skip[id.Origin]
}

// locate finds where to go on for a client whose latest event was offset.
func (s *session) locate(offset string, j *journal) (cursor, Refusal) {
	c, why := s.find(offset, j)
	if why == NotRefused && (c.seq < j.floor || c.seq < s.unsure) {
		return c, RefusedCut
	}
	return c, why
}

func (s *session) find(offset string, j *journal) (cursor, Refusal) {
	if offset == noOffset || offset == s.base {
		return cursor{0, s.start}, NotRefused
	}
	id, ok := parseOffset(offset)
	if !ok {
		return cursor{}, RefusedOffset
	}
	for i := range s.prefix {
		if s.prefix[i].id == id {
			return cursor{i + 1, s.start}, NotRefused
		}
	}
	seq, ok := j.find(id)
	switch {
	case !ok && s.start < j.floor:
		return cursor{}, RefusedCut
	case !ok:
		return cursor{}, RefusedOffset
	case seq < s.start: // it got nothing since the session began
		return cursor{0, s.start}, NotRefused
	}
	return cursor{len(s.prefix), seq + 1}, NotRefused
}

// noOffset stands for the offset of a client that never got an event.
const noOffset = "-"

// library describes the session to the library.
func (s *session) library() *socket.Session {
	return &socket.Session{SessionToPersist: &socket.SessionToPersist{
		Sid: s.sid, Pid: s.pid, Rooms: types.NewSet(s.rooms()...), Data: s.data,
	}}
}

// estimate is what a session that is away is accounted for.
func (s *session) estimate() int64 {
	n := int64(512)
	for i := range s.stays {
		n += int64(len(s.stays[i].room)) + 40
	}
	return n
}

func (s *session) expired(keep time.Duration, now int64) bool {
	return s.awaySince+keep.Milliseconds() < now
}

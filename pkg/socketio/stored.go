package socketio

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/engineio"
)

// SessionDump is what an instance leaves behind of a namespace: the sessions of clients that were away
// when it ended, and the events they may have missed, once for all of them.
type SessionDump struct {
	Sessions []StoredSession
	Log      *StoredLog
	TTL      time.Duration // how long it may be of use
}

// A StoredSession is a session as JSON. It makes sense together with the StoredLog of its dump.
type StoredSession struct {
	Pid     socket.PrivateSessionId `json:"pid"`
	Session json.RawMessage         `json:"session"`
}

// A StoredLog is what was kept of a namespace's events.
type StoredLog struct {
	Floor   uint64            `json:"floor"`
	Entries []storedEntry     `json:"entries"`
	Seen    map[uint64]uint64 `json:"seen"`
	Foreign int64             `json:"foreign"` // Unix ms
	Since   int64             `json:"since"`   // Unix ms
	At      int64             `json:"at"`      // Unix ms
	Behind  int64             `json:"behind,omitempty"`

	once    sync.Once
	journal *journal // of it all; nil if it makes no sense; only read
}

type storedEntry struct {
	Handed  HandedPacket  `json:"p"`
	Rooms   []socket.Room `json:"in,omitempty"`
	Except  []socket.Room `json:"ex,omitempty"`
	Foreign bool          `json:"f,omitempty"`
}

type storedSession struct {
	Sid      socket.SocketId         `json:"sid"`
	Pid      socket.PrivateSessionId `json:"pid"`
	Base     string                  `json:"base"`
	Start    uint64                  `json:"start"`
	Unsure   uint64                  `json:"unsure,omitempty"`
	Skip     map[uint64]uint64       `json:"skip,omitempty"`
	Prefix   []HandedPacket          `json:"prefix,omitempty"`
	Stays    []storedStay            `json:"stays"`
	Data     json.RawMessage         `json:"data,omitempty"`
	ParkedAt int64                   `json:"parked"`
}

type storedStay struct {
	Room socket.Room `json:"r"`
	From uint64      `json:"f"`
	To   uint64      `json:"t"`
}

// maxStored bounds the log of a dump, in bytes: the latest events are in it.
const maxStored = 16 << 20

// A SessionStore is a SessionPeers that can keep a dump for the other instances.
type SessionStore interface {
	Store(ctx context.Context, d *SessionDump) error
	// Discard undoes that for sessions that have found a new place meanwhile.
	Discard(ctx context.Context, pids []socket.PrivateSessionId) error
	// Leave tells, for a time, how far this instance has published: nobody can ask it any more.
	Leave(ctx context.Context, within time.Duration) error
}

// A HandOverError tells that sessions could not be left to the other instances in time: their clients
// begin anew.
type HandOverError struct {
	Sessions int
	Err      error // of the last attempt
}

func (e *HandOverError) Error() string {
	return fmt.Sprintf("socketio: %d sessions could not be left to other instances, their clients begin anew: %v", e.Sessions, e.Err)
}

func (e *HandOverError) Unwrap() error { return e.Err }

// HandOver leaves the sessions of clients that are away to the other instances of each namespace, in
// what the adapter has for it (Redis); with adapters in memory, and with recovery off, it does nothing.
// It tries again until it succeeds or ctx ends: the error is a [*HandOverError] then. Meanwhile this
// instance answers for its sessions itself. [Server.Close] calls it when all clients have been let go.
// Sessions are gone here afterwards.
func (s *Server) HandOver(ctx context.Context) error {
	if s.recovery == nil {
		return nil
	}
	var failed *HandOverError
	for _, ns := range s.keepingNamespaces() {
		if left, err := ns.handOver(ctx); err != nil {
			if failed == nil {
				failed = &HandOverError{Err: err}
			}
			failed.Sessions += left
		}
	}
	if failed != nil {
		return failed
	}
	return nil
}

// keepingNamespaces are those that keep sessions.
func (s *Server) keepingNamespaces() (list []*Namespace) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, ns := range s.namespaces {
		if ns.local != nil {
			list = append(list, ns)
		}
	}
	return list
}

// Pauses between attempts to store sessions.
const (
	storePause    = 50 * time.Millisecond
	maxStorePause = time.Second
)

// handOver tries until ctx ends; left is how many sessions it could not store. Each attempt describes
// them anew: what comes in meanwhile is due to them as well.
func (ns *Namespace) handOver(ctx context.Context) (left int, err error) {
	store, ok := ns.local.peers.(SessionStore)
	if !ok {
		return 0, nil
	}
	var late []socket.PrivateSessionId // that have found a new place since they were stored
	for pause := storePause; ; pause = min(2*pause, maxStorePause) {
		if left, err = ns.leave(ctx, store, &late); err == nil {
			return 0, nil
		}
		select {
		case <-ctx.Done():
			return left, err
		case <-time.After(pause):
		}
	}
}

// leave tries once; left is how many sessions it did not store, late those that are to be discarded.
func (ns *Namespace) leave(ctx context.Context, store SessionStore, late *[]socket.PrivateSessionId) (left int, err error) {
	if d := ns.local.dump(); d != nil {
		if err := store.Store(ctx, d); err != nil {
			return len(d.Sessions), err
		}
		ns.server.recovery.stored.Add(uint64(len(d.Sessions)))
		*late = append(*late, ns.local.forget(d)...)
	}
	if len(*late) > 0 {
		if err := store.Discard(ctx, *late); err != nil {
			return 0, err
		}
		*late = nil
	}
	return 0, store.Leave(ctx, ns.server.recovery.cfg.For)
}

// dump describes all sessions that are away, nil if there are none. They stay until forget.
func (a *LocalAdapter) dump() *SessionDump {
	a.mu.Lock()
	defer a.mu.Unlock()
	j := a.journal
	if j == nil {
		return nil
	}
	d := &SessionDump{TTL: j.shared.cfg.For}
	for _, s := range a.sessions.listAway() {
		if b, err := json.Marshal(s.stored()); err == nil {
			d.Sessions = append(d.Sessions, StoredSession{s.pid, b})
		}
	}
	if len(d.Sessions) == 0 {
		return nil
	}
	d.Log = &StoredLog{Floor: j.head(), Seen: make(map[uint64]uint64, len(j.seen)), Foreign: j.foreign, Since: j.since, At: time.Now().UnixMilli(), Behind: a.behindLocked()}
	for o, n := range j.seen {
		d.Log.Seen[o] = n.last
	}
	for size := int64(0); d.Log.Floor > j.floor; d.Log.Floor-- {
		e := j.at(d.Log.Floor - 1)
		if size += e.size; size > maxStored {
			break
		}
		d.Log.Entries = append(d.Log.Entries, storedEntry{e.handed(), e.rooms, e.except, e.foreign})
	}
	slices.Reverse(d.Log.Entries)
	return d
}

// forget drops the sessions of a dump, and returns those that are gone already.
func (a *LocalAdapter) forget(d *SessionDump) (late []socket.PrivateSessionId) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, st := range d.Sessions {
		if s := a.sessions.byPID[st.Pid]; s != nil && s.isAway() {
			a.sessions.end(s, exitStored)
		} else {
			late = append(late, st.Pid)
		}
	}
	return late
}

// handed describes an entry in full.
func (e *entry) handed() HandedPacket {
	p := HandedPacket{ID: e.id.String(), Text: string(e.frames[0].Text())}
	for _, f := range e.frames[1:] {
		p.Binary = append(p.Binary, f.Binary())
	}
	return p
}

// entry is the way back.
func (p *HandedPacket) entry() (e entry, ok bool) {
	if e.id, ok = parseOffset(p.ID); !ok || p.Text == "" {
		return e, ok
	}
	e.frames = append(e.frames, engineio.NewTextFrame([]byte(p.Text)))
	for _, b := range p.Binary {
		e.frames = append(e.frames, engineio.NewBinaryFrame(b))
	}
	e.measure()
	return e, true
}

func (s *session) stored() *storedSession {
	st := &storedSession{
		Sid: s.sid, Pid: s.pid, Base: s.base, Start: s.start, Unsure: s.unsure, Skip: s.skip, ParkedAt: s.awaySince,
	}
	for i := range s.prefix {
		st.Prefix = append(st.Prefix, s.prefix[i].handed())
	}
	for _, y := range s.stays {
		st.Stays = append(st.Stays, storedStay{y.room, y.from, y.to})
	}
	if b, err := json.Marshal(s.data); err == nil && s.data != nil {
		st.Data = b
	}
	return st
}

func (l *StoredLog) read() *journal {
	j := &journal{floor: l.Floor, seen: make(map[uint64]origin, len(l.Seen)), foreign: l.Foreign}
	for o, n := range l.Seen {
		j.seen[o] = origin{last: n}
	}
	for i := range l.Entries {
		e, ok := l.Entries[i].Handed.entry()
		if !ok || e.frames == nil {
			return nil
		}
		e.rooms, e.except, e.foreign = l.Entries[i].Rooms, l.Entries[i].Except, l.Entries[i].Foreign
		j.list = append(j.list, e)
	}
	return j
}

// Hand does what TakeSession does, with a session and the log of its dump.
func (l *StoredLog) Hand(stored json.RawMessage, offset string, kept map[string]Numbers, keep time.Duration) (*HandedSession, Refusal) {
	var st storedSession
	if json.Unmarshal(stored, &st) != nil {
		return nil, RefusedCut
	}
	l.once.Do(func() { l.journal = l.read() })
	j := l.journal
	if j == nil {
		return nil, RefusedCut
	}
	s := &session{sid: st.Sid, pid: st.Pid, base: st.Base, start: st.Start, unsure: st.Unsure, skip: st.Skip, awaySince: st.ParkedAt}
	for i := range st.Prefix {
		e, ok := st.Prefix[i].entry()
		if !ok || e.frames == nil {
			return nil, RefusedCut
		}
		s.prefix = append(s.prefix, e)
	}
	for _, y := range st.Stays {
		s.stays = append(s.stays, stay{y.Room, y.From, y.To})
	}
	if s.expired(keep, time.Now().UnixMilli()) {
		return nil, RefusedExpired
	}
	var why Refusal
	if s.next, why = s.locate(offset, j); why != NotRefused {
		return nil, why
	}
	h, why := j.hand(s, kept, 0)
	if h != nil {
		h.Data, h.Age, h.Since, h.Behind = st.Data, time.Now().UnixMilli()-l.At, l.At-l.Since, l.Behind
	}
	return h, why
}

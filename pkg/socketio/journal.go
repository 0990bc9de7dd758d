package socketio

import (
	"encoding/base64"
	"encoding/binary"
	"hash/fnv"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/engineio"
)

// A PacketID names an event in the whole cluster: the N-th (from 1) that Origin sent. On the wire it is
// the offset that clients get as an event's last argument: eight characters for the origin, then N.
type PacketID struct {
	Origin uint64 // 48 bits
	N      uint64
}

const originMask = 1<<48 - 1

// OriginOf makes the origin of an instance's name.
func OriginOf(name string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name)) // never fails
	return h.Sum64() & originMask
}

func (id PacketID) append(dst []byte) []byte {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], id.Origin<<16)
	dst = base64.RawURLEncoding.AppendEncode(dst, b[:6])
	return strconv.AppendUint(dst, id.N, 36)
}

func (id PacketID) String() string { return string(id.append(nil)) }

// parseOffset reads what append writes.
func parseOffset(s string) (id PacketID, ok bool) {
	if len(s) < 9 || len(s) > 8+13 {
		return id, false
	}
	var b [8]byte
	if n, err := base64.RawURLEncoding.Decode(b[:], []byte(s[:8])); err != nil || n != 6 {
		return id, false
	}
	n, err := strconv.ParseUint(s[8:], 36, 64)
	return PacketID{Origin: binary.BigEndian.Uint64(b[:]) >> 16, N: n}, err == nil
}

// An entry is one event that was sent to sockets of a namespace.
type entry struct {
	id            PacketID
	at            int64             // Unix ms
	foreign       bool              // came without a number: id means nothing elsewhere
	frames        []*engineio.Frame // with the offset
	rooms, except []socket.Room
	horizon       uint64 // the latest member it is for, 0: it is for all
	size          int64
}

// measure sets the size.
func (e *entry) measure() {
	e.size = entryOverhead
	for _, f := range e.frames {
		e.size += f.Size()
	}
	for _, list := range [][]socket.Room{e.rooms, e.except} {
		for _, room := range list {
			e.size += int64(len(room)) + 16
		}
	}
}

// entryOverhead is what an entry takes beside its frames.
const entryOverhead = 192

// A journal keeps the events of a namespace in the order in which this instance sent them. The order
// is the numbering: the oldest entry has the number floor, the next one will have the number head.
// Guarded by the adapter's lock.
type journal struct {
	shared *recovery
	list   []entry // [first:] are kept
	first  int
	floor  uint64
	bytes  int64

	local     PacketID          // of the latest that only this instance knows by number
	published PacketID          // of the latest that the others know, too
	seen      map[uint64]origin // the other instances
	foreign   int64             // when an event without a number came last, Unix ms
	since     int64             // from when on nothing is missing here, Unix ms
}

// origin tells which events of an instance are here: those from first to last, without a gap; and when, in Unix ms, the latest came.
type origin struct {
	first, last uint64
	at          int64
}

func newJournal(r *recovery) *journal {
	r.logs.Add(1)
	return &journal{
		shared: r, floor: 1, seen: map[uint64]origin{}, since: time.Now().UnixMilli(),
		local:     PacketID{Origin: rand.Uint64() & originMask},
		published: PacketID{Origin: rand.Uint64() & originMask},
	}
}

func (j *journal) head() uint64 { return j.floor + uint64(len(j.list)-j.first) }

func (j *journal) at(seq uint64) *entry { return &j.list[j.first+int(seq-j.floor)] }

// add appends an event and forgets what is too old or too much. The entry is valid until the next call.
func (j *journal) add(id PacketID, nsp string, data Payload, opts *socket.BroadcastOptions) *entry {
	rooms, except := roomSets(opts)
	e := entry{id: id, at: time.Now().UnixMilli(), frames: offsetFrames(nsp, data, id), rooms: rooms, except: except}
	e.measure()
	j.list = append(j.list, e)
	j.bytes += e.size
	j.shared.used.Add(e.size)
	j.shared.packets.Add(1)
	j.trim(e.at)
	return &j.list[len(j.list)-1]
}

// trim forgets from the oldest on; the latest stays, it is being sent.
func (j *journal) trim(now int64) {
	oldest := now - j.shared.cfg.For.Milliseconds()
	for len(j.list)-j.first > 1 && (j.list[j.first].at < oldest || j.shared.overdrawn(j.bytes)) {
		j.pop()
	}
	if j.first > 1024 && j.first*2 > len(j.list) {
		n := copy(j.list, j.list[j.first:])
		clear(j.list[n:])
		j.list, j.first = j.list[:n], 0
	}
}

func (j *journal) pop() {
	e := &j.list[j.first]
	if o, ok := j.seen[e.id.Origin]; ok && o.first <= e.id.N {
		o.first = e.id.N + 1
		j.seen[e.id.Origin] = o
	}
	j.bytes -= e.size
	j.shared.used.Add(-e.size)
	j.shared.packets.Add(-1)
	*e = entry{}
	j.first++
	j.floor++
}

// cut forgets everything: something that belongs here got lost.
func (j *journal) cut() {
	for j.first < len(j.list) {
		j.pop()
	}
	j.list, j.first = nil, 0
	j.since = time.Now().UnixMilli()
}

// expire forgets what is too old, the latest included.
func (j *journal) expire(now int64) {
	oldest := now - j.shared.cfg.For.Milliseconds()
	for j.first < len(j.list) && j.list[j.first].at < oldest {
		j.pop()
	}
	if j.first == len(j.list) {
		j.list, j.first = nil, 0
	}
}

// receive notes an event of another instance and reports whether those before it are missing here.
func (j *journal) receive(id PacketID) (gap bool) {
	o, known := j.seen[id.Origin]
	if !known {
		o.first = id.N
	}
	if gap = known && id.N > o.last+1; gap {
		o.first = id.N
	}
	o.last, o.at = max(o.last, id.N), time.Now().UnixMilli()
	j.seen[id.Origin] = o
	return gap
}

// find returns the number of an event, looking back from the latest to the oldest.
func (j *journal) find(id PacketID) (seq uint64, ok bool) {
	for i := len(j.list) - 1; i >= j.first; i-- {
		if j.list[i].id == id {
			return j.floor + uint64(i-j.first), true
		}
	}
	return 0, false
}

// offsetFrames is newFrames for an event whose last argument is its offset.
func offsetFrames(nsp string, data Payload, id PacketID) []*engineio.Frame {
	var head [64]byte
	var tail [32]byte
	header := appendHeader(head[:0], Event, len(data.Attachments), nsp, nil)
	end := len(data.JSON) - 1
	for end > 0 && data.JSON[end] != ']' { // space, or nothing
		end--
	}
	offset := append(id.append(append(tail[:0], `,"`...)), `"]`...)
	frames := make([]*engineio.Frame, 0, 1+len(data.Attachments))
	frames = append(frames, engineio.NewTextFrame(header, data.JSON[:end], offset))
	for _, b := range data.Attachments {
		frames = append(frames, engineio.NewBinaryFrame(b))
	}
	return frames
}

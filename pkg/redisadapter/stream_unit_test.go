package redisadapter

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/redis/go-redis/v9"

	"socketio-chat/pkg/socketio"
)

func TestStreamID(t *testing.T) {
	for _, text := range []string{"0-0", "1700000000000-7", "18446744073709551615-18446744073709551615"} {
		if id, err := parseStreamID(text); err != nil || id.String() != text {
			t.Errorf("%s: %v, %v", text, id, err)
		}
	}
	for _, text := range []string{"", "1", "-", "1-", "-1", "a-1", "1-b", "1-1-1", "18446744073709551616-0"} {
		if id, err := parseStreamID(text); err == nil {
			t.Errorf("%q: %v", text, id)
		}
	}
	if next := (streamID{1, math.MaxUint64}).next(); next != (streamID{2, 0}) {
		t.Error(next)
	}
	if (streamID{2, 0}).compare(streamID{1, 9}) <= 0 || (streamID{1, 1}).compare(streamID{1, 2}) >= 0 {
		t.Error("order")
	}
}

func TestOrigins(t *testing.T) {
	var o origins
	for _, tc := range []struct {
		from   string
		n      uint64
		again  bool
		missed uint64
	}{
		{"a", 5, false, 0}, {"a", 6, false, 0}, {"a", 6, true, 0}, {"a", 5, true, 0}, {"b", 1, false, 0}, {"a", 10, false, 3}, {"a", 11, false, 0},
	} {
		if again, missed := o.take(tc.from, tc.n); again != tc.again || missed != tc.missed {
			t.Errorf("%s:%d: again %v, missed %d", tc.from, tc.n, again, missed)
		}
	}
	for i := range 2 * maxOrigins {
		o.take(fmt.Sprint(i), 1)
		o.take("b", uint64(i+2)) // is heard of all the time
	}
	if len(o.known) > maxOrigins || o.known["b"] == nil || o.known["a"] != nil {
		t.Errorf("%d origins are known", len(o.known))
	}
	for _, text := range []string{"", ":1", "a:", "a:0", "a:-1", "a:x", "a:18446744073709551616"} {
		if _, _, ok := readStamp(text); ok {
			t.Errorf("%q is a stamp", text)
		}
	}
	if origin, n, ok := readStamp(string(appendStamp(nil, "a:b", 77))); origin != "a:b" || n != 77 || !ok {
		t.Error(origin, n, ok)
	}
}

// What a reader makes of a stream that does not look as expected.
func TestPosition(t *testing.T) {
	id := func(ms uint64) streamID { return streamID{ms: ms} }
	stream := func(first, last uint64, length, added int64) streamInfo {
		return streamInfo{exists: true, first: id(first), last: id(last), length: length, added: added}
	}
	for _, tc := range []struct {
		name string
		at   position
		info streamInfo
		gap  error
		lost int64
		to   position
	}{
		{"nothing there, nothing read", position{}, streamInfo{}, nil, 0, position{}},
		{"nothing new", position{id: id(9), index: 9}, stream(1, 9, 9, 9), nil, 0, position{id: id(9), index: 9}},
		{"something new", position{id: id(9), index: 9}, stream(1, 12, 12, 12), nil, 0, position{id: id(9), index: 9}},
		{"all that is left is new, nothing lost", position{id: id(9), index: 9}, stream(10, 12, 3, 12), nil, 0, position{id: id(9), index: 9}},
		{"trimmed beyond", position{id: id(9), index: 9}, stream(13, 15, 3, 15), errStreamTrimmed, 3, position{id: id(9), index: 12}},
		{"trimmed to nothing", position{id: id(9), index: 9}, stream(0, 15, 0, 15), errStreamTrimmed, 6, position{id: id(9), index: 15}},
		{"gone", position{id: id(9), index: 9}, streamInfo{}, errStreamGone, 0, position{}},
		{"made anew, later ids", position{id: id(9), index: 9}, stream(20, 21, 2, 2), errStreamNew, 0, position{id: id(9), index: -1}},
		{"made anew, earlier ids", position{id: id(9), index: 9}, stream(3, 4, 2, 2), errStreamBack, 0, position{index: -1}},
		{"older data", position{id: id(9), index: 9, recent: []streamID{id(7), id(8), id(9)}}, stream(1, 8, 8, 8), errStreamBack, 0, position{id: id(8), index: 8}},
		{"no counts, still there", position{id: id(9), index: -1}, stream(1, 12, 12, -1), nil, 0, position{id: id(9), index: -1}},
		{"no counts, no longer there", position{id: id(9), index: -1}, stream(10, 12, 3, -1), errStreamTrimmed, 0, position{id: id(9), index: -1}},
		{"from a time before the first", position{id: id(9), index: -1}, stream(10, 12, 3, 3), nil, 0, position{id: id(9), index: -1}},
	} {
		p := tc.at
		lost, gap := p.check(tc.info)
		if p.recent = nil; lost != tc.lost || !errors.Is(gap, tc.gap) || fmt.Sprint(p) != fmt.Sprint(tc.to) {
			t.Errorf("%s: %+v, lost %d, %v", tc.name, p, lost, gap)
		}
	}
	var p position
	for i := range uint64(3 * recentIDs) {
		p.advance(id(i))
	}
	if p.index != 3*recentIDs || p.wasRead(id(2*recentIDs-1)) || !p.wasRead(id(2*recentIDs)) || !p.wasRead(p.id) {
		t.Errorf("%d, %v", p.index, p.id)
	}
	p = position{id: id(12), index: -1}
	if p.caughtUp(stream(10, 12, 3, 300)); p.index != 300 {
		t.Error(p.index)
	}
}

func TestInfo(t *testing.T) {
	for _, tc := range []struct {
		x     redis.XInfoStream
		added int64
		ok    bool
	}{
		{redis.XInfoStream{Length: 1, LastGeneratedID: "5-0", EntriesAdded: 9, MaxDeletedEntryID: "0-0", FirstEntry: redis.XMessage{ID: "5-0"}}, 9, true},
		{redis.XInfoStream{Length: 1, LastGeneratedID: "5-0", EntriesAdded: 9, MaxDeletedEntryID: "3-0", FirstEntry: redis.XMessage{ID: "5-0"}}, -1, true},
		{redis.XInfoStream{Length: 1, LastGeneratedID: "5-0", FirstEntry: redis.XMessage{ID: "5-0"}}, -1, true},
		{redis.XInfoStream{LastGeneratedID: "x"}, 0, false},
		{redis.XInfoStream{LastGeneratedID: "5-0", FirstEntry: redis.XMessage{ID: "x"}}, 0, false},
	} {
		if info, err := infoOf(&tc.x); (err == nil) != tc.ok || tc.ok && info.added != tc.added {
			t.Errorf("%+v: %+v, %v", tc.x, info, err)
		}
	}
}

func TestJudge(t *testing.T) {
	for text, want := range map[string]verdict{
		"OOM command not allowed when used memory > 'maxmemory'.": forNow, "LOADING Redis is loading the dataset in memory": forNow,
		"MOVED 3999 127.0.0.1:6381": elsewhere, "READONLY You can't write against a read only replica.": elsewhere,
		"EXECABORT Transaction discarded because of previous errors.":                                         withOther,
		"EXECABORT Transaction discarded because of: OOM command not allowed when used memory > 'maxmemory'.": forNow, "ERR Protocol error: invalid bulk length": forGood,
	} {
		if got := judge(fmt.Errorf("wrapped: %w", redisError(text))); got != want {
			t.Errorf("%s: %d", text, got)
		}
	}
}

type redisError string

func (e redisError) Error() string { return string(e) }
func (e redisError) RedisError()   {}

func entryItem(data string) item {
	return item{out: out{entry: &entry{nsp: "/", typ: "3", data: data}}}
}

// Requests and the like grow old sooner than broadcasts.
func TestQueueBrief(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var lost lostItems
		q := newQueue(1<<20, 10*time.Minute, lost.take)
		q.brief = maxBrief
		_ = q.push(entryItem("{1}"))
		_ = q.push(item{out: out{channel: "request"}})
		_ = q.push(entryItem("{2}"))
		time.Sleep(9 * time.Minute)
		_ = q.push(item{out: out{channel: "another"}})
		if got := q.take(nil, 10, 1<<20); len(got) != 3 || got[1].seq != 2 || got[2].channel != "another" {
			t.Errorf("took %d", len(got))
		}
		_ = q.push(entryItem("{3}"))
		time.Sleep(11 * time.Minute)
		_ = q.push(entryItem("{4}"))
		if got := q.take(nil, 10, 1<<20); len(got) != 1 || got[0].seq != 4 {
			t.Errorf("took %v", got)
		}
		if want := []string{"request: message waited too long for Redis", ": message waited too long for Redis"}; !slices.Equal(lost.list, want) {
			t.Errorf("lost %q", lost.list)
		}
	})
}

// Entries of unknown outcome are taken out if they have arrived, and tried again in their place if
// not.
func TestQueueSettle(t *testing.T) {
	q := newQueue(1<<20, time.Minute, nil)
	for range 5 {
		_ = q.push(entryItem("{}"))
	}
	list := q.take(nil, 3, 1<<20)
	for i := range list {
		list[i].unsure = true
	}
	q.unshift(list)
	if !q.unsure() {
		t.Error("sure")
	}
	if n := q.settle(map[uint64]bool{1: true, 3: true, 4: true}); n != 2 {
		t.Errorf("settled %d", n)
	}
	var left []uint64
	for _, it := range q.take(nil, 10, 1<<20) {
		left = append(left, it.seq)
	}
	if !slices.Equal(left, []uint64{2, 4, 5}) || q.unsure() {
		t.Errorf("left %v", left)
	}
	if items, bytes := q.len(); items != 0 || bytes != 0 {
		t.Errorf("%d items, %d bytes", items, bytes)
	}
}

// The stream is kept as long as it may be, and shorter when entries are large.
func TestStreamLength(t *testing.T) {
	s := newStreams(config{streamLength: 1000, streamBytes: 1 << 20})
	if n := s.maxLen(); n != 1000 {
		t.Error(n)
	}
	for range 3000 {
		s.sized(64 << 10)
	}
	if n := s.maxLen(); n < 15 || n > 17 {
		t.Error(n)
	}
}

// Whatever an entry says, it is read into valid data or refused.
func FuzzDecodeEntry(f *testing.F) {
	ok := `{"packet":{"type":2,"data":["msg",1],"nsp":"/chat"},"opts":{"rooms":[],"except":[],"flags":{}}}`
	f.Add("3", ok, "", "")
	f.Add("4", `{"opts":{"rooms":["a"],"except":[]},"rooms":["b"]}`, "", "")
	f.Add("3", "gqZwYWNrZXSC", "", "")
	f.Add("3", "", ok, "kA==")
	f.Fuzz(func(t *testing.T, typ, data, text, atts string) {
		payload, err := decodeEntry(newCodec(1<<20, 255), &entry{typ: typ, data: data, json: text, atts: atts})
		if err != nil {
			return
		}
		if !utf8.Valid(payload.JSON) {
			t.Errorf("%q", payload.JSON)
		}
		m := clusterMessage{Type: 3, Nsp: "/chat", Data: payload}
		if msg, withAck, err := eventOf(&m); err == nil && withAck == nil {
			if _, err := msg.data.Elements(); err != nil {
				t.Errorf("%q: %v", msg.data.JSON, err)
			}
		}
		_, _ = m.request()
		_, _ = m.response()
	})
}

// What is encoded comes back as it was.
func TestEntryRoundTrip(t *testing.T) {
	c := newCodec(1<<20, 255)
	for _, p := range []socketio.Payload{
		{JSON: []byte(`{"a":1.0}`)},
		{JSON: []byte(`{"a":[{"_placeholder":true,"num":1},{"_placeholder":true,"num":0},-0]}`), Attachments: [][]byte{{1}, {2, 3}}},
		{JSON: []byte(`{"a":{"_placeholder":true,"num":0}}`), Attachments: [][]byte{{}}},
		{JSON: []byte(`{"_placeholder":true,"num":0,"x":1}`)},
	} {
		var e entry
		if err := encodeEntry(c, &e, p); err != nil {
			t.Fatal(err)
		}
		got, err := decodeEntry(newCodec(1<<20, 255), &e)
		if err != nil || string(got.JSON) != string(p.JSON) || fmt.Sprint(got.Attachments) != fmt.Sprint(p.Attachments) {
			t.Errorf("%s, %v came back as %s, %v, %v", p.JSON, p.Attachments, got.JSON, got.Attachments, err)
		}
	}
	var e entry
	if err := encodeEntry(c, &e, socketio.Payload{JSON: make([]byte, 2<<20)}); !errors.Is(err, errTooLarge) {
		t.Error(err)
	}
}

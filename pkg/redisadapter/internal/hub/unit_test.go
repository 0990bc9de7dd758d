package hub

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"

	"socketio-chat/pkg/redisadapter/internal/wire"
)

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
		cmd := redis.NewXInfoStreamCmd(t.Context(), "k")
		cmd.SetVal(&tc.x)
		if info, err := infoOf(cmd, "k"); (err == nil) != tc.ok || tc.ok && info.Added != tc.added {
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
	return item{Out: wire.Out{Entry: &wire.Entry{Nsp: "/", Typ: "3", Data: data}}}
}

// Requests and the like grow old sooner than broadcasts.
func TestQueueBrief(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var lost lostItems
		q := newQueue(1<<20, 10*time.Minute, lost.take)
		q.brief = maxBrief
		_ = q.push(entryItem("{1}"))
		_ = q.push(item{Out: wire.Out{Channel: "request"}})
		_ = q.push(entryItem("{2}"))
		time.Sleep(9 * time.Minute)
		_ = q.push(item{Out: wire.Out{Channel: "another"}})
		if got := q.take(nil, true, 10, 1<<20); len(got) != 3 || got[1].seq != 2 || got[2].Channel != "another" {
			t.Errorf("took %d", len(got))
		}
		_ = q.push(entryItem("{3}"))
		time.Sleep(11 * time.Minute)
		_ = q.push(entryItem("{4}"))
		if got := q.take(nil, true, 10, 1<<20); len(got) != 1 || got[0].seq != 4 {
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
	list := q.take(nil, true, 3, 1<<20)
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
	for _, it := range q.take(nil, true, 10, 1<<20) {
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
	s := newStreams(Config{StreamLength: 1000, StreamBytes: 1 << 20})
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

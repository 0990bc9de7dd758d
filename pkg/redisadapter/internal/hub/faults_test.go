package hub

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"
	rtypes "github.com/zishang520/socket.io-go-redis/types"

	"socketio-chat/pkg/redisadapter/internal/wire"
)

// What Redis denies is told with what to allow.
func TestPermission(t *testing.T) {
	for _, tc := range []struct{ said, what, missing string }{
		{"NOPERM this user has no permissions to run the 'xinfo|stream' command", "key k", "command XINFO STREAM"},
		{"NOPERM User chat has no permissions to run the 'publish' command", "channel c", "command PUBLISH"},
		{"NOPERM this user has no permissions to access one of the channels used as arguments", "channel c", "channel c"},
		{"NOPERM No permissions to access a key", "key k", "key k"},
		{"EXECABORT Transaction discarded because of: NOPERM No permissions to access a key", "key k", "key k"},
	} {
		err := permission(fmt.Errorf("wrapped: %w", redisError(tc.said)), tc.what)
		var p *PermissionError
		if !errors.As(err, &p) || p.Missing != tc.missing || !strings.Contains(err.Error(), "may not use "+tc.missing+"; allow it by ACL SETUSER") {
			t.Errorf("%s: %v", tc.said, err)
		}
		if again := permission(err, "something else"); again != err {
			t.Errorf("%s: told again as %v", tc.said, again)
		}
		if !isDenied(err) || !refused(err) {
			t.Errorf("%s is no refusal", tc.said)
		}
	}
	for _, err := range []error{nil, io.EOF, redisError("ERR NOPERM"), redisError("OOM"), context.Canceled} {
		if got := permission(err, "x"); got != err || isDenied(err) {
			t.Errorf("%v became %v", err, got)
		}
	}
}

// A command that was answered before the connection broke is done.
func TestAnswered(t *testing.T) {
	ctx := context.Background()
	number := func(n int64, err error) redis.Cmder {
		c := redis.NewIntCmd(ctx, "publish")
		c.SetVal(n)
		c.SetErr(err)
		return c
	}
	text := func(id string) redis.Cmder {
		c := redis.NewStringCmd(ctx, "xadd")
		c.SetVal(id)
		return c
	}
	for i, tc := range []struct {
		cmd  redis.Cmder
		want bool
	}{{number(2, io.EOF), true}, {number(0, io.EOF), false}, {text("1-0"), true}, {text(""), false}, {redis.NewStatusCmd(ctx, "ping"), false}} {
		if got := answered(tc.cmd); got != tc.want {
			t.Errorf("%d: %v", i, got)
		}
	}
}

// Looking through all channels is dear: it is done where it tells something, and not twice for the same.
func TestCounter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := counter{keep: time.Second}
		of := wire.Listeners{All: "all", Modern: "modern*", Ours: "ours"}
		scans := 0
		ask := func(of wire.Listeners, all, ours int) wire.Census {
			got, err := c.census(of, numbers{all, ours}, func() (int, numbers, error) { scans++; return 2, numbers{all, ours}, nil })
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		for i, tc := range []struct {
			of        wire.Listeners
			all, ours int
			wait      time.Duration
			want      wire.Census
			scans     int // so far
		}{
			{of, 2, 2, 0, wire.Census{All: 2, Modern: 2, Ours: 2}, 0},
			{wire.Listeners{All: "all", Ours: "ours"}, 5, 2, 0, wire.Census{All: 5, Modern: 5, Ours: 2}, 0}, // a mode without older nodes
			{of, 3, 1, 0, wire.Census{All: 3, Modern: 2, Ours: 1}, 1},
			{of, 3, 1, 0, wire.Census{All: 3, Modern: 2, Ours: 1}, 1},
			{of, 3, 1, time.Second, wire.Census{All: 3, Modern: 2, Ours: 1}, 2},
			{of, 4, 1, 0, wire.Census{All: 4, Modern: 2, Ours: 1}, 3},
			{wire.Listeners{All: "elsewhere", Modern: "m*"}, 4, 1, 0, wire.Census{All: 4, Modern: 2, Ours: 1}, 4},
			{of, 4, 1, 0, wire.Census{All: 4, Modern: 2, Ours: 1}, 4},
		} {
			time.Sleep(tc.wait)
			if got := ask(tc.of, tc.all, tc.ours); got != tc.want || scans != tc.scans {
				t.Errorf("%d: %+v after %d scans, want %+v after %d", i, got, scans, tc.want, tc.scans)
			}
		}
		time.Sleep(time.Second)
		if _, err := c.census(of, numbers{4, 1}, func() (int, numbers, error) { return 0, numbers{}, io.EOF }); !errors.Is(err, io.EOF) {
			t.Errorf("Redis is gone: %v", err)
		}
		// An instance joins between the two commands: what they say together is asked again.
		come := []struct {
			modern int
			now    numbers
		}{{1, numbers{2, 1}}, {1, numbers{2, 1}}}
		got, err := c.census(wire.Listeners{All: "new", Modern: "m*"}, numbers{1, 0}, func() (int, numbers, error) {
			next := come[0]
			come = come[1:]
			return next.modern, next.now, nil
		})
		if err != nil || got.LegacyNodes() != 1 || got.Node4() != 0 || len(come) != 0 {
			t.Errorf("one of generation 2 and one of ours that joins are %+v, %v", got, err)
		}
	})
}

// The newest goes first when memory runs out, and what it was is counted.
func TestQueueSheds(t *testing.T) {
	var lost lostItems
	q := newQueue(1<<20, time.Minute, lost.take)
	for i := range 5 {
		_ = q.push(item{Out: wire.Out{Channel: fmt.Sprint(i), Payload: make(wire.Message, 1000)}})
	}
	_ = q.take(nil, true, 1, 1<<20)
	one := 1000 + 1 + itemOverhead
	for _, tc := range []struct{ want, bytes, items int }{{0, 0, 0}, {1, one, 1}, {one + 1, 2 * one, 2}, {1 << 20, one, 1}, {1, 0, 0}} {
		if bytes, items := q.shed(tc.want); bytes != tc.bytes || items != tc.items {
			t.Errorf("%d bytes: %d items of %d", tc.want, items, bytes)
		}
	}
	why := ": " + errMemory.Error()
	if want := []string{"4" + why, "3" + why, "2" + why, "1" + why}; !slices.Equal(lost.list, want) {
		t.Errorf("lost %q", lost.list)
	}
	if items, bytes := q.len(); items != 0 || bytes != 0 {
		t.Errorf("%d items of %d bytes are left", items, bytes)
	}
}

// A question is never lost: it is answered when it is stale, shed, or the queue closes, and not by the one who asks.
func TestQuestionsAreAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var errs []error
		ask := func() item {
			return item{ask: &question{answered: func(_ wire.Census, err error) []wire.Out { errs = append(errs, err); return nil }}}
		}
		q := newQueue(10*itemOverhead, time.Second, func(it item, err error) { it.ask.answered(wire.Census{}, err) })
		_ = q.push(ask())
		time.Sleep(2 * time.Second)
		q.expire()
		if len(errs) != 0 {
			t.Error("answered by the one who looked")
		}
		<-q.late
		q.answerStale()
		_ = q.push(ask())
		q.shed(1)
		_ = q.push(ask())
		time.Sleep(2 * time.Second)
		q.expire() // stale, and not answered yet
		_ = q.push(ask())
		q.close()
		if err := q.push(ask()); !errors.Is(err, ErrClosed) {
			t.Errorf("pushed to a closed queue: %v", err)
		}
		want := []error{errStale, errMemory, ErrClosed, ErrClosed}
		if len(errs) != len(want) {
			t.Fatalf("answered %v, want %v", errs, want)
		}
		for i := range want {
			if !errors.Is(errs[i], want[i]) {
				t.Errorf("answered %v, want %v", errs, want)
			}
		}
		full := newQueue(3*itemOverhead, time.Second, nil)
		for i := range 4 {
			if err := full.push(ask()); (i == 3) != errors.Is(err, errQueueFull) {
				t.Errorf("question %d: %v", i, err)
			}
		}
	})
}

// A mode that there is not, or a client that is none, leaves the instance alone; nothing waits for it and it closes at once.
func TestImpossibleHubs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		cfg := Config{QueueBytes: 1000, HoldFor: time.Minute, Heartbeat: time.Second, Silence: time.Second, Log: slog.New(slog.NewTextHandler(&log, nil))}
		h := New(&rtypes.RedisClient{}, cfg, "pigeon", "/")
		h.Run()
		h.Send(wire.Out{Channel: "c"})
		if err := h.Ask(wire.Listeners{}, nil); !errors.Is(err, ErrClosed) {
			t.Errorf("asked: %v", err)
		}
		s := h.Status()
		if s.Joined || s.Dropped != 1 || !errors.Is(s.LastError, ErrMode) || !strings.Contains(log.String(), "this instance stays alone") {
			t.Errorf("%+v\n%s", s, log.String())
		}
		if err := h.Close(t.Context()); err != nil || !h.Ended() {
			t.Errorf("closed: %v", err)
		}
		if _, err := RedisOptions(t.Context(), nil, "k"); !errors.Is(err, ErrClientType) {
			t.Errorf("no client: %v", err)
		}
	})
}

// What was given up is told in numbers, with the reason.
func TestUnpublishedError(t *testing.T) {
	err := error(&UnpublishedError{Messages: 2, Bytes: 300, Err: io.EOF})
	if !errors.Is(err, io.EOF) || err.Error() != "2 messages (300 bytes) for other instances were given up: EOF" {
		t.Error(err)
	}
	if err := ignoreClosed(fmt.Errorf("close: %w", net.ErrClosed)); err != nil {
		t.Error(err)
	}
	if err := ignoreClosed(io.EOF); err != io.EOF {
		t.Error(err)
	}
}

// Counters of hubs that have ended are added to those that are there.
func TestStatusCount(t *testing.T) {
	sum := Status{Published: 1, Received: 2, Dropped: 3, Unknown: 4, Rejected: 5, Gaps: 6, Missed: 7, Overruns: 8, Joined: true, Queued: 9}
	other := sum
	other.Lags.Buckets[3], other.Lags.Count, other.Lags.Sum = 5, 5, time.Second
	sum.Count(other)
	want := Status{Published: 2, Received: 4, Dropped: 6, Unknown: 8, Rejected: 10, Gaps: 12, Missed: 14, Overruns: 16, Joined: true, Queued: 9, Lags: other.Lags}
	if fmt.Sprint(sum) != fmt.Sprint(want) {
		t.Errorf("got %+v", sum)
	}
}

// A listener of the application's that panics costs its call, and is logged.
func TestProtect(t *testing.T) {
	var log strings.Builder
	h := newTestHub(PubSub)
	h.fault = faultLog{log: slog.New(slog.NewTextHandler(&log, nil))}
	h.Protect("a test", func() { panic("boom") })
	h.guard(func() { panic("bang") })
	for _, want := range []string{"Panic in a test", "boom", "Panic in handling a message from Redis", "bang"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("no %q in\n%s", want, log.String())
		}
	}
	h.Overrun(errQueueFull)
	if s := h.Status(); s.Overruns != 1 {
		t.Errorf("%d overruns", s.Overruns)
	}
}

package history

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

// tried appends messages at once and returns which of them are kept.
func tried(s Store, list ...Message) (kept []bool) {
	told := make([]chan Receipt, len(list))
	for i, m := range list {
		told[i] = make(chan Receipt, 1)
		s.Append(m, func(r Receipt) { told[i] <- r })
	}
	for _, ch := range told {
		kept = append(kept, (<-ch).Kept)
	}
	return kept
}

// Whatever stands under the history's keys in Redis, messages are kept once, where they can be, and within the bounds: an error in the middle
// of a batch had its first half appended again and again, and held up all that came after it for good.
func TestKeysOfOthersHoldNothingUp(t *testing.T) {
	for name, c := range map[string]struct {
		spoil        func(ctx context.Context, c *redis.Client)
		lobby, green bool // are kept
	}{
		"the lobby is a string": {func(ctx context.Context, c *redis.Client) { c.Set(ctx, stream(""), "x", 0) }, false, true},
		"a room is a list":      {func(ctx context.Context, c *redis.Client) { c.LPush(ctx, stream("green"), "x") }, true, false},
		"the sizes are a set":   {func(ctx context.Context, c *redis.Client) { c.SAdd(ctx, prefix+"sizes", "x") }, true, true},
		"a size is a word": {func(ctx context.Context, c *redis.Client) {
			c.HSet(ctx, prefix+"sizes", "lobby", "x", "rooms", "y", "room:green", "z")
		}, true, true},
		"a size is far too large": {func(ctx context.Context, c *redis.Client) {
			c.HSet(ctx, prefix+"sizes", "lobby", 1<<50, "rooms", 1<<50)
		}, true, true},
		"the list of rooms is a string":     {func(ctx context.Context, c *redis.Client) { c.Set(ctx, prefix+"rooms", "x", 0) }, true, true},
		"the recorder is a hash":            {func(ctx context.Context, c *redis.Client) { c.HSet(ctx, prefix+"recorder", "x", "y") }, true, true},
		"the key of a message is a list":    {func(ctx context.Context, c *redis.Client) { c.LPush(ctx, prefix+"once:k", "x") }, true, true},
		"somebody's entries in both":        {foreignEntries("x", "y"), true, true},
		"somebody's entries with odd sizes": {foreignEntries("s", "much", "p", "1"), true, true},
	} {
		t.Run(name, func(t *testing.T) {
			r := startRedis(t)
			ctx, client := context.Background(), r.client()
			c.spoil(ctx, client)
			s := r.store(small)
			for n := range 12 {
				text := text(strconv.Itoa(n))
				kept := tried(s, Message{Payload: text}, Message{Room: "green", Payload: text}, Message{Room: "blue", Payload: text, Once: "k"})
				if want := []bool{c.lobby, c.green, true}; !slices.Equal(kept, want) {
					t.Fatalf("message %d: kept are %v, want %v", n, kept, want)
				}
			}
			want := []string{"7", "8", "9", "10", "11"} // small.Count
			for room, kept := range map[string]bool{"": c.lobby, "green": c.green} {
				list, err := client.XRange(ctx, stream(room), "-", "+").Result()
				if err == nil != kept {
					t.Fatalf("%q: %v", room, err)
				}
				if !kept {
					continue
				}
				if got := texts(unhurried(t, s, Query{Room: room, Limit: 9})); !slices.Equal(got, want) || len(list) != len(want) {
					t.Errorf("%q: got %v of %d entries", room, got, len(list))
				}
			}
			client.Del(ctx, stream(""), stream("green"))
			if kept := tried(s, Message{Payload: text("1")}, Message{Room: "green", Payload: text("1")}); !kept[0] || !kept[1] {
				t.Errorf("when the keys are gone: %v", kept)
			}
		})
	}
}

func foreignEntries(fields ...any) func(ctx context.Context, c *redis.Client) {
	return func(ctx context.Context, c *redis.Client) {
		for range 3 {
			c.XAdd(ctx, &redis.XAddArgs{Stream: stream(""), Values: fields})
			c.XAdd(ctx, &redis.XAddArgs{Stream: stream("green"), Values: fields})
		}
	}
}

// What is no message in the stream is shown as null: a client would be cut off by what its parser does not take, or by its size.
func TestEntriesOfOthersAreShownAsNull(t *testing.T) {
	r := startRedis(t)
	ctx, client := context.Background(), r.client()
	for _, fields := range [][]any{
		{"p", `"before"`},
		{"x", "y"}, {"p", "{"}, {"p", ""}, {"p", "1 2"}, {"p", "\"\xff\""},
		{"p", `{"_placeholder":true,"num":3}`, "b", "a"},
		{"p", `[{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]`, "b", "a"},
		{"p", `"` + strings.Repeat("x", 100_000) + `"`},
		{"p", `"after"`},
	} {
		for _, room := range []string{"", "green"} {
			if err := client.XAdd(ctx, &redis.XAddArgs{Stream: stream(room), Values: fields}).Err(); err != nil {
				t.Fatal(err)
			}
		}
	}
	s := r.storeWith(RedisOptions{Limits: Limits{Count: 100, Bytes: 1 << 20, Age: small.Age}, MaxEntry: 100_000})
	for _, room := range []string{"", "green"} {
		p := unhurried(t, s, Query{Room: room, Limit: 50})
		for p.More {
			older := unhurried(t, s, Query{Room: room, Limit: 50, Before: p.Messages[0].ID})
			p.Messages, p.More = append(older.Messages, p.Messages...), older.More
		}
		if got := strings.Join(texts(p), " "); got != `"before" null null null null null null null null "after"` {
			t.Errorf("%q: got %.200s", room, got)
		}
	}
}

// unhurried asks again while Redis takes longer than a page may.
func unhurried(t *testing.T, s Store, q Query) (p Page) {
	t.Helper()
	eventually(t, "Redis has answered in time", func() bool {
		p = page(t, s, q)
		return !p.Partial
	})
	return p
}

var sent = regexp.MustCompile(`total_net_output_bytes:(\d+)`)

// A page costs Redis and us what it holds and a few messages more: those of a room with 60 messages of 100 KB had all of them read for each
// client that asked, 6 MB for 250 KB.
func TestPagesOfLargeMessagesAreReadInPart(t *testing.T) {
	r := startRedis(t)
	s, client := r.store(Limits{Count: 100, Bytes: 64 << 20, Age: small.Age}), r.client()
	var ids []ID
	for n := range 60 {
		ids = append(ids, say(t, s, "green", fmt.Sprintf(`"%d%s"`, n, strings.Repeat("x", 100_000)))...)
	}
	output := func() int {
		info := client.Info(context.Background(), "stats").Val()
		n, err := strconv.Atoi(sent.FindStringSubmatch(info)[1])
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, q := range []Query{{}, {Before: ids[50]}, {After: ids[10]}} {
		q.Room, q.Limit = "green", 200
		before := output()
		p := unhurried(t, s, q)
		if n := output() - before; len(p.Messages) != 2 || !p.More || p.Gap || n > 500_000 {
			t.Errorf("%+v: %d messages, more: %v, gap: %v; Redis sent %d bytes", q, len(p.Messages), p.More, p.Gap, n)
		}
	}
}

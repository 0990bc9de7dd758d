package history

import (
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// readCalls finds how often Redis was asked for messages.
var readCalls = regexp.MustCompile(`cmdstat_x(?:rev)?range:calls=(\d+)`)

// However much was said since the last look, one command tells the newest; only if the last known message is gone it takes another.
func TestMirrorFollows(t *testing.T) {
	r := startRedis(t)
	c, ctx := r.client(), context.Background()
	c.Set(ctx, prefix+"recorder", "another", time.Minute) // a store that becomes the recorder reads, too
	reader := r.store(small)
	reads := func() (n int) {
		for _, match := range readCalls.FindAllStringSubmatch(c.Info(ctx, "commandstats").Val(), -1) {
			calls, _ := strconv.Atoi(match[1])
			n += calls
		}
		return n
	}
	var said []string
	for _, step := range []struct {
		name     string
		messages int
		lost     bool // the last known message
		whole    bool
		reads    int
	}{
		{name: "nothing is known", messages: 2, whole: true, reads: 1},
		{name: "nothing new", whole: true, reads: 1},
		{name: "just full", messages: 3, whole: true, reads: 1},
		{name: "one more", messages: 1, reads: 1},
		{name: "all but one are new", messages: 4, reads: 1},
		{name: "all are new", messages: 5, reads: 1},
		{name: "more are new than are known", messages: 6, reads: 1},
		{name: "the last one is lost", messages: 1, lost: true, reads: 2},
		{name: "the last one is lost among many", messages: 5, lost: true, reads: 1},
	} {
		if step.lost {
			end := len(reader.mirror.list) - 1
			c.XDel(ctx, stream(""), redisID(reader.mirror.list[end].ID))
			said = said[:len(said)-1]
		}
		for range step.messages {
			m := strconv.Itoa(len(said))
			c.XAdd(ctx, &redis.XAddArgs{Stream: stream(""), Values: []any{"p", m}}) // a writer's store would read, too
			said = append(said, m)
		}
		before := reads()
		if err := reader.refresh(ctx); err != nil {
			t.Fatal(err)
		}
		got := texts(Page{Messages: reader.mirror.list})
		if want := said[max(len(said)-small.Count, 0):]; !slices.Equal(got, want) || reader.mirror.whole != step.whole {
			t.Errorf("%s: got %v, whole %v, want %v", step.name, got, reader.mirror.whole, want)
		}
		if n := reads() - before; n != step.reads {
			t.Errorf("%s: read %d times", step.name, n)
		}
	}
}

// However large messages are, the mirror has no more bytes of them than Redis may keep; what it has not is read.
func TestMirrorIsBoundedInBytes(t *testing.T) {
	r := startRedis(t)
	c, ctx := r.client(), context.Background()
	reader := r.store(Limits{Count: 100, Bytes: 10_000, Age: time.Hour})
	var said []string
	for n := range 20 {
		said = append(said, strconv.Itoa(n)+strings.Repeat("0", 1000*(n%3)))
		c.XAdd(ctx, &redis.XAddArgs{Stream: stream(""), Values: []any{"p", said[n]}}) // which nobody trims
		got := texts(page(t, reader, Query{Limit: 100}))
		if !slices.Equal(got, said) {
			t.Fatalf("%d messages, got %d", len(said), len(got))
		}
		bytes := int64(0)
		for _, m := range reader.mirror.list {
			bytes += m.size()
		}
		if bytes > 5000 {
			t.Errorf("after %d messages it has %d bytes", n+1, bytes)
		}
	}
	if reader.mirror.whole || len(reader.mirror.list) == 0 {
		t.Errorf("it has %d messages, all: %v", len(reader.mirror.list), reader.mirror.whole)
	}
}

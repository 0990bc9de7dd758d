package history

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// Two instances, and a memory that was told the same, answer every question alike.
func TestInstancesAndMemoryAgree(t *testing.T) {
	r := startRedis(t)
	limits := Limits{Count: 40, Bytes: 1 << 20, Age: time.Hour}
	alpha, beta := r.store(limits), r.store(limits)
	memory := NewMemory(limits)
	random := rand.New(rand.NewPCG(1, 2))
	ids := map[string][]ID{}
	type place struct {
		room string
		id   ID
	}
	own := map[place]ID{} // what the memory calls the same message
	for n := range 300 {
		room := []string{"", "", "blue"}[random.IntN(3)]
		m := fmt.Sprintf(`{ "n" : %d, "z":"<\u0026>" }`, n)
		s := []*Redis{alpha, beta}[random.IntN(2)]
		id := say(t, s, room, m)[0]
		ids[room] = append(ids[room], id)
		memory.Append(Message{Room: room, From: "Ann", Payload: text(m)}, func(r Receipt) { own[place{room, id}] = r.ID })
		q := Query{Room: room, Limit: 1 + random.IntN(50)}
		switch id := ids[room][random.IntN(len(ids[room]))]; random.IntN(3) {
		case 0:
			q.Before = id
		case 1:
			q.After = id
		}
		inMemory := q
		inMemory.Before, inMemory.After = own[place{room, q.Before}], own[place{room, q.After}]
		want := page(t, memory, inMemory)
		for _, s := range []*Redis{alpha, beta} {
			got := page(t, s, q)
			if !slices.Equal(texts(got), texts(want)) || got.More != want.More || got.Gap != want.Gap || got.Partial {
				t.Fatalf("message %d, %+v:\ngot  %v more %v gap %v partial %v\nwant %v more %v gap %v", n, q, texts(got), got.More, got.Gap, got.Partial, texts(want), want.More, want.Gap)
			}
			for _, m := range got.Messages {
				if m.From != "Ann" || m.Room != room {
					t.Fatalf("got %+v", m)
				}
			}
		}
	}
}

// Whatever is said where, the bounds hold, and what is counted is what is there.
func TestBoundsHoldInRedis(t *testing.T) {
	r := startRedis(t)
	limits := Limits{Count: 20, Bytes: 40_000, Age: time.Hour}
	s := r.store(limits)
	random := rand.New(rand.NewPCG(3, 4))
	rooms := map[string]bool{}
	for n := range 2000 {
		room := ""
		if random.IntN(10) > 0 {
			room = fmt.Sprint("room", random.IntN(100))
			rooms[room] = true
		}
		s.Append(Message{Room: room, Payload: text(fmt.Sprintf(`"%d%s"`, n, strings.Repeat("x", random.IntN(500))))}, nil)
	}
	say(t, s, "", `"last"`)
	c := r.client()
	ctx := context.Background()
	var inRooms, listed int64
	for room := range rooms {
		var bytes int64
		for _, e := range c.XRange(ctx, stream(room), "-", "+").Val() {
			var n int64
			_, _ = fmt.Sscan(e.Values["s"].(string), &n)
			bytes += n
		}
		if counted, _ := c.HGet(ctx, prefix+"sizes", "room:"+room).Int64(); counted != bytes {
			t.Errorf("%s has %d bytes, counted are %d", room, bytes, counted)
		}
		if bytes > 0 {
			listed++
		}
		inRooms += bytes
	}
	if counted, _ := c.HGet(ctx, prefix+"sizes", "rooms").Int64(); counted != inRooms || inRooms > limits.Bytes/2 || inRooms < limits.Bytes/4 {
		t.Errorf("rooms have %d bytes, counted are %d", inRooms, counted)
	}
	if n := c.ZCard(ctx, prefix+"rooms").Val(); n != listed {
		t.Errorf("%d rooms have messages, %d are listed", listed, n)
	}
	if n := len(page(t, s, Query{Limit: 100}).Messages); n != 20 {
		t.Errorf("%d messages of the lobby", n)
	}
}

// A batch whose outcome is not known is sent again: it is appended once, also if the first attempt arrives after the next batch.
func TestBatchIsAppendedOnce(t *testing.T) {
	r := startRedis(t)
	s := r.store(small)
	batch := []*waiting{{message: Message{Payload: text(`1`)}}, {message: Message{Payload: text(`2`)}}}
	run := func(number uint64) []string {
		ids, err := appendScript.Run(context.Background(), r.client(), []string{prefix + "x"}, s.arguments(number, batch)...).StringSlice()
		if err != nil || len(ids) != 2 {
			t.Fatalf("got %v, %v", ids, err)
		}
		return ids
	}
	first := run(7)
	if again := run(7); !slices.Equal(first, again) {
		t.Errorf("got %v, then %v", first, again)
	}
	if next := run(8); slices.Equal(first, next) {
		t.Errorf("got %v again", next)
	}
	late, err := appendScript.Run(context.Background(), r.client(), []string{prefix + "x"}, s.arguments(7, batch)...).StringSlice()
	if err != nil || len(late) > 0 {
		t.Errorf("an attempt that came after the next batch: %v, %v", late, err)
	}
	if got := texts(page(t, s, Query{Limit: 9})); !slices.Equal(got, []string{"1", "2", "1", "2"}) {
		t.Errorf("got %v", got)
	}
}

// While Redis is away, what is known is answered as partial, senders hear that nothing is kept yet, and it is when Redis is back.
func TestRedisAwayAndBack(t *testing.T) {
	r := startRedis(t)
	alpha, beta := r.store(small), r.store(small)
	say(t, alpha, "", "1", "2")
	if got := texts(page(t, beta, Query{Limit: 9})); len(got) != 2 {
		t.Fatalf("got %v", got)
	}
	r.kill()
	told := make(chan Receipt, 2)
	alpha.Append(Message{Payload: text("3")}, func(r Receipt) { told <- r })
	alpha.Append(Message{Payload: text("4")}, func(r Receipt) { told <- r })
	if p := page(t, beta, Query{Limit: 9}); !p.Partial || len(p.Messages) != 2 {
		t.Errorf("got %+v", p)
	}
	for range 2 {
		if r := <-told; r.Kept {
			t.Errorf("got %+v without Redis", r)
		}
	}
	r.start()
	eventually(t, "all is kept", func() bool {
		p := page(t, beta, Query{Limit: 9})
		return !p.Partial && slices.Equal(texts(p), []string{"1", "2", "3", "4"})
	})
}

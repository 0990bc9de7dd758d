package history

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testRedis is a Redis server that keeps nothing over a restart.
type testRedis struct {
	t    *testing.T
	path string
	cmd  *exec.Cmd
}

func startRedis(t *testing.T) *testRedis {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Skip("redis-server is missing: run .ci/test-deps.sh")
	}
	r := &testRedis{t: t, path: filepath.Join(t.TempDir(), "s")}
	r.start()
	t.Cleanup(r.kill)
	return r
}

func (r *testRedis) start() {
	r.t.Helper()
	r.cmd = exec.Command("redis-server", "--port", "0", "--unixsocket", r.path, "--appendonly", "yes", "--appendfsync", "always", "--save", "",
		"--dir", filepath.Dir(r.path))
	if err := r.cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	c := r.client()
	eventually(r.t, "Redis answers", func() bool { return c.Ping(context.Background()).Err() == nil })
}

func (r *testRedis) kill() {
	_ = r.cmd.Process.Kill()
	_ = r.cmd.Wait()
}

func (r *testRedis) client() *redis.Client {
	c := redis.NewClient(&redis.Options{Network: "unix", Addr: r.path, DialerRetries: 1, MaxRetries: -1, ContextTimeoutEnabled: true})
	r.t.Cleanup(func() { c.Close() })
	return c
}

// store is one instance's.
func (r *testRedis) store(limits Limits) *Redis {
	s := NewRedis(RedisOptions{Client: r.client(), Limits: limits})
	r.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = s.Close(ctx) // of a Redis that is away
	})
	return s
}

// crash ends an instance without a word to the others.
func (s *Redis) crash() {
	s.cancel()
	s.queue.close()
	s.wg.Wait()
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("still not so: %s", what)
		}
	}
}

var small = Limits{Count: 5, Bytes: 1 << 20, Age: time.Hour}

// say appends messages and waits until they are kept.
func say(t *testing.T, s Store, room string, list ...string) (ids []ID) {
	t.Helper()
	for _, m := range list {
		told := make(chan Receipt, 1)
		s.Append(Message{Room: room, From: "Ann", Payload: text(m)}, func(r Receipt) { told <- r })
		r := <-told
		if !r.Kept {
			t.Fatalf("%s was not kept", m)
		}
		ids = append(ids, r.ID)
	}
	return ids
}

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

// A batch whose outcome is not known is sent again: it is appended once.
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

// Each message of servers that keep nothing is kept once, whichever instance is the recorder, and however many there were.
func TestRecordersFollowEachOther(t *testing.T) {
	r := startRedis(t)
	limits := Limits{Count: 1000, Bytes: 1 << 20, Age: time.Hour}
	var mu sync.Mutex // guards stores
	var stores []*Redis
	var want []string
	hear := func(m string) {
		mu.Lock()
		defer mu.Unlock()
		want = append(want, m)
		for _, s := range stores {
			s.Hear(text(m))
		}
	}
	leader := func() (at int) {
		at = -1
		eventually(t, "one is the recorder", func() bool {
			for i, s := range stores {
				if s.rec.leads() {
					at = i
					return true
				}
			}
			return false
		})
		return at
	}
	for n := range 3 {
		mu.Lock()
		for len(stores) < 3 {
			stores = append(stores, r.store(limits))
		}
		mu.Unlock()
		at := leader()
		for i := range 50 {
			hear(fmt.Sprintf("[%d,%d]", n, i))
		}
		gone := stores[at]
		stores = slices.Delete(stores, at, at+1)
		if n == 1 { // the last one ends in order, the others do not
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			if err := gone.Close(ctx); err != nil {
				t.Error(err)
			}
			cancel()
		} else {
			gone.crash()
		}
		for i := range 20 { // nobody is the recorder
			hear(fmt.Sprintf("[%d,-%d]", n, i))
		}
	}
	leader()
	var got []string
	defer func() {
		if t.Failed() {
			t.Logf("got  %v\nwant %v", got, want)
		}
	}()
	eventually(t, "all is kept", func() bool {
		got = nil
		for _, e := range r.client().XRange(context.Background(), stream(""), "-", "+").Val() {
			got = append(got, e.Values["p"].(string))
		}
		return slices.Equal(got, want)
	})
}

// A recorder that stood still while another took over appends nothing any more.
func TestRecorderWithoutLeaseAppendsNothing(t *testing.T) {
	r := startRedis(t)
	s := r.store(small)
	eventually(t, "it is the recorder", s.rec.leads)
	r.client().Set(context.Background(), prefix+"recorder", "another", time.Minute)
	s.Hear(text("1"))
	eventually(t, "it is not any more", func() bool { return !s.rec.leads() })
	say(t, s, "", "2")
	if got := texts(page(t, s, Query{Limit: 9})); !slices.Equal(got, []string{"2"}) {
		t.Errorf("got %v", got)
	}
}

// However much of a sequence two instances have heard, the second goes on where the first ended.
func TestFollow(t *testing.T) {
	for from := range 6 {
		for to := from; to <= 10; to++ {
			for keptFrom := 0; keptFrom <= to; keptFrom++ {
				var tail []heard
				for n := from; n < 10; n++ {
					tail = append(tail, heard{message: Message{Payload: text(fmt.Sprint(n))}})
				}
				var kept []Message
				for n := keptFrom; n < to; n++ {
					kept = append(kept, Message{Payload: text(fmt.Sprint(n))})
				}
				want := to
				if kept == nil {
					want = from // nothing is known of what was kept
				}
				if got := from + follow(tail, kept); got != want {
					t.Fatalf("heard %d to 10, kept %d to %d: goes on at %d", from, keptFrom, to, got)
				}
			}
		}
	}
}

// Of instances that are given the same message of a client, one appends it.
func TestClaims(t *testing.T) {
	r := startRedis(t)
	alpha, beta := r.store(small), r.store(small)
	ctx := context.Background()
	if where, wait, err := alpha.Claim(ctx, "m1"); err != nil || wait || !where.IsZero() {
		t.Fatalf("got %v, %v, %v", where, wait, err)
	}
	if _, wait, err := beta.Claim(ctx, "m1"); err != nil || !wait {
		t.Fatalf("claimed twice: %v, %v", wait, err)
	}
	told := make(chan Receipt, 1)
	alpha.Append(Message{Payload: text("1"), Once: "m1"}, func(r Receipt) { told <- r })
	where, err := beta.Await("m1")
	if kept := <-told; err != nil || where != kept.ID {
		t.Errorf("it is at %v, found at %v, %v", kept.ID, where, err)
	}
	beta.Append(Message{Payload: text("1"), Once: "m1"}, func(r Receipt) { told <- r }) // it did not ask
	if again := <-told; again.ID != where {
		t.Errorf("it is at %v, then at %v", where, again.ID)
	}
}

var aclLine = regexp.MustCompile(`(?m)^ *ACL SETUSER chat .*$`)

// All of it works for the Redis users that deploy/docs/redis.md tells operators to make, one for each mode.
func TestRedisUserOfLeastPrivilege(t *testing.T) {
	page, err := os.ReadFile("../../../deploy/docs/redis.md")
	if err != nil {
		t.Fatal(err)
	}
	lines := aclLine.FindAllString(string(page), -1)
	if len(lines) != 3 {
		t.Fatalf("the page has %d ACL lines, want one for each mode", len(lines))
	}
	for _, line := range lines {
		runAs(t, line)
	}
}

// runAs does all that a store does as the user that a command makes.
func runAs(t *testing.T, command string) {
	t.Helper()
	r := startRedis(t)
	ctx := context.Background()
	args := []any{}
	for _, word := range strings.Fields(command) {
		args = append(args, word)
	}
	if err := r.client().Do(ctx, args...).Err(); err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(&redis.Options{Network: "unix", Addr: r.path, Username: "chat", Password: "PASSWORD", MaxRetries: -1})
	defer client.Close()
	s := NewRedis(RedisOptions{Client: client, Limits: Limits{Count: 2, Bytes: 2000, Age: time.Hour}})
	for n := range 20 {
		say(t, s, fmt.Sprint("room", n%7), strings.Repeat("1", 10*n+1))
		say(t, s, "", "1")
	}
	page(t, s, Query{Limit: 1})
	page(t, s, Query{Room: "room1", Limit: 1, After: ID{1, 1}})
	if _, wait, err := s.Claim(ctx, "m"); wait || err != nil {
		t.Error(wait, err)
	}
	eventually(t, "it is the recorder", s.rec.leads)
	if err := s.Close(ctx); err != nil {
		t.Error(err)
	}
	if refused, err := r.client().Do(ctx, "ACL", "LOG").Slice(); err != nil || len(refused) > 0 {
		t.Errorf("Redis refused %v, %v", refused, err)
	}
}

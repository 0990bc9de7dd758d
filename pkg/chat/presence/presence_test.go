package presence

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// net joins registries whose beats the test makes.
type net struct {
	list   []*Registry
	now    time.Time
	joined bool
	lose   func() bool
}

// newNet returns n registries. Their own tickers are ended at once.
func newNet(n int) *net {
	w := &net{joined: true, now: time.Now(), lose: func() bool { return false }}
	for range n {
		w.add()
	}
	return w
}

func (w *net) add() *Registry {
	var r *Registry
	r = New(Options{
		Changed: func(Change) {}, Watched: func(string) bool { return true }, Joined: func() bool { return w.joined },
	})
	r.Close()
	r.now = func() time.Time { return w.now }
	r.opts.Gossip = func(g Gossip) {
		for _, other := range w.list {
			if w.joined && other != r && !w.lose() {
				other.Hear(g)
			}
		}
	}
	w.list = append(w.list, r)
	return r
}

func (w *net) beat() {
	w.now = w.now.Add(Beat)
	for _, r := range w.list {
		r.tick(w.now)
	}
}

// A registry without others rests while nothing changes, and tells what does by the next beat all the same.
func TestRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := make(chan Change, 9)
		r := New(Options{Changed: func(c Change) { told <- c }, Watched: func(string) bool { return true }})
		defer r.Close()
		resting := func() bool {
			synctest.Wait()
			r.mu.Lock()
			defer r.mu.Unlock()
			return r.rests
		}
		for i := range 5 {
			name := fmt.Sprint("n", i)
			time.Sleep(time.Hour + 123*time.Millisecond)
			if !resting() {
				t.Fatal("it does not rest")
			}
			r.Enter("", name)
			r.Enter("blue", name)
			if resting() {
				t.Error("it rests with something to tell")
			}
			begun := time.Now()
			for _, room := range []string{"", "blue"} {
				if c := <-told; c.Room != room || len(c.Joined) != 1 || c.Joined[0].Name != name {
					t.Errorf("told %+v", c)
				}
			}
			if now := time.Now(); now.Sub(begun) > Beat || !now.Equal(now.Truncate(Beat)) {
				t.Errorf("told after %v, at %v", now.Sub(begun), now)
			}
		}
		for i := range maxNames + 1 { // at most every fourth beat has so much to tell
			r.Enter("", fmt.Sprint(i))
		}
		if c := <-told; !c.Reset {
			t.Errorf("told %+v", c)
		}
		r.Enter("", "last")
		if c, want := <-told, 5+maxNames+2; c.Count != want {
			t.Errorf("told %d names, want %d", c.Count, want)
		}
	})
}

// Wherever people come, go and change names, and whatever gossip is lost meanwhile, all instances come to know the same.
func TestInstancesAgree(t *testing.T) {
	for seed := range uint64(300) {
		if instancesAgree(t, seed); t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func instancesAgree(t *testing.T, seed uint64) {
	random := rand.New(rand.NewPCG(1, seed))
	w := newNet(3)
	w.lose = func() bool { return random.IntN(4) == 0 }
	type one struct {
		r          *Registry
		room, name string
	}
	var here []one
	for range random.IntN(200) { // the last that is said may be what is lost
		switch k := random.IntN(10); {
		case k < 4:
			o := one{w.list[random.IntN(3)], []string{"", "blue"}[random.IntN(2)], []string{"", "a", "b", "c"}[random.IntN(4)]}
			o.r.Enter(o.room, o.name)
			here = append(here, o)
		case k < 8 && len(here) > 0:
			i := random.IntN(len(here))
			here[i].r.Leave(here[i].room, here[i].name)
			here = append(here[:i], here[i+1:]...)
		case k == 8 && len(here) > 0:
			o := &here[random.IntN(len(here))]
			o.r.Rename([]string{o.room}, o.name, "d")
			o.name = "d"
		default:
			w.beat()
		}
	}
	w.lose = func() bool { return false }
	for range 8 { // what was missed is asked for
		w.beat()
	}
	for _, room := range []string{"", "blue"} {
		want := Snapshot{People: []Person{}}
		names := map[string]int{}
		for _, o := range here {
			if o.room == room {
				names[o.name]++
				want.Connections++
			}
		}
		for _, name := range []string{"a", "b", "c", "d"} {
			if names[name] > 0 {
				want.People = append(want.People, Person{name, names[name]})
				want.Count++
			}
		}
		for i, r := range w.list {
			if got := r.People(room); !reflect.DeepEqual(got, want) {
				t.Errorf("instance %d, room %q: got %+v, want %+v", i, room, got, want)
			}
		}
	}
}

// An instance that is heard of no more is gone, unless nobody is heard of.
func TestInstancesThatAreGone(t *testing.T) {
	w := newNet(3)
	for i, r := range w.list {
		r.Enter("", fmt.Sprint(i))
	}
	beats := func(d time.Duration) {
		for end := w.now.Add(d); w.now.Before(end); {
			w.beat()
		}
	}
	beats(2 * time.Second)
	first := w.list[0]
	if n := first.People("").Count; n != 3 {
		t.Fatalf("%d people", n)
	}
	w.joined = false
	beats(time.Minute)
	if s := first.People(""); s.Count != 3 || !s.Partial {
		t.Errorf("while nobody is reached: %+v", s)
	}
	w.joined = true
	w.list = w.list[:2] // the third is killed
	beats(5 * time.Second)
	if s := first.People(""); s.Count != 2 || s.Partial {
		t.Errorf("after five seconds: %+v", s)
	}
	w.list[1].opts.Gossip(Gossip{From: w.list[1].me, Bye: true})
	if n := first.People("").Count; n != 1 {
		t.Errorf("%d people after a farewell", n)
	}
}

func TestChangesAreCoalesced(t *testing.T) {
	var got []Change
	r := New(Options{Changed: func(c Change) { got = append(got, c) }, Watched: func(room string) bool { return room != "unseen" }})
	r.Close()
	r.Enter("", "a")
	r.Enter("", "b")
	r.Leave("", "b")
	r.Enter("", "")
	r.Enter("unseen", "a")
	r.tick(time.Now())
	r.tick(time.Now())
	for n := range 300 {
		r.Enter("blue", fmt.Sprint(n))
	}
	r.tick(time.Now())
	for n := range 300 { // more come, and are told of when the crowd has calmed down
		r.Enter("blue", fmt.Sprint(n))
		if n%100 == 0 {
			r.tick(time.Now())
		}
	}
	r.tick(time.Now())
	r.Leave("blue", "7")
	r.Leave("blue", "7")
	r.tick(time.Now())
	want := []Change{
		{Joined: []Person{{"a", 1}}, Left: []string{"b"}, Count: 1, Connections: 2},
		{Room: "blue", Joined: []Person{}, Left: []string{}, Count: 300, Connections: 300, Reset: true},
		{Room: "blue", Joined: []Person{}, Left: []string{}, Count: 300, Connections: 600, Reset: true},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
}

// In a large room an answer may be as old as the last beat, and no older; a client that watches is told the rest with the next change.
func TestAnswersOfLargeRooms(t *testing.T) {
	var got []Change
	r := New(Options{Changed: func(c Change) { got = append(got, c) }, Watched: func(string) bool { return true }})
	r.Close()
	enter := func(n int) {
		r.Enter("", fmt.Sprintf("%04d", n))
	}
	for n := range freshPeople {
		enter(n)
		if s := r.People(""); s.Count != n+1 {
			t.Fatalf("%d names are %d", n+1, s.Count)
		}
	}
	r.tick(time.Now())
	r.People("")
	enter(freshPeople)
	if s := r.People(""); s.Count != freshPeople {
		t.Errorf("an answer was made anew for one of many: %d", s.Count)
	}
	r.tick(time.Now())
	if s := r.People(""); s.Count != freshPeople+1 {
		t.Errorf("after a beat: %d", s.Count)
	}
	enter(freshPeople + 1)
	r.tick(time.Now())
	want := Change{Joined: []Person{{fmt.Sprintf("%04d", freshPeople+1), 1}}, Left: []string{}, Count: freshPeople + 2, Connections: freshPeople + 2}
	if last := got[len(got)-1]; !reflect.DeepEqual(last, want) {
		t.Errorf("watchers are told %+v", last)
	}
	if s := string(r.First("")); strings.Count(s, "name") != 200 || !strings.HasSuffix(s, `],"count":202,"connections":202,"more":true}`) {
		t.Errorf("to watchers: %s", s)
	}
	if s := string(r.Encoded("")); !strings.HasPrefix(s, `{"people":[{"name":"0000","connections":1},`) || !strings.HasSuffix(s, `],"count":202,"connections":202}`) {
		t.Errorf("got %s", s)
	}
}

// BenchmarkStorm is what it costs the registry that one more comes and asks who is here, while 10,000 others are.
func BenchmarkStorm(b *testing.B) {
	r := New(Options{Changed: func(Change) {}, Watched: func(string) bool { return true }})
	defer r.Close()
	for n := range 10_000 {
		r.Enter("", fmt.Sprint("load-", n))
	}
	for n := 0; b.Loop(); n++ {
		r.Enter("", fmt.Sprint("late-", n%1000))
		r.Encoded("")
	}
}

package hub

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"socketio-chat/pkg/redisadapter/internal/wire"
)

// nobody is a receiver.
type nobody struct{ int }

func (nobody) Receive(string, []byte)   {}
func (nobody) ReceiveEntry(*wire.Entry) {}
func (nobody) Missed()                  {}

// Following one room more costs the same with ten rooms and with 50,000.
func TestFollowingARoomCostsTheSameHoweverManyThereAre(t *testing.T) {
	cost := func(rooms int) float64 {
		routes := newRoutes()
		r := nobody{1}
		for i := range rooms {
			routes.follow(fmt.Sprint("room-", i), r)
		}
		routes.changes(false)
		return testing.AllocsPerRun(100, func() {
			routes.follow("one more", r)
			routes.changes(false)
			routes.unfollow("one more", r)
			routes.changes(false)
		})
	}
	if few, many := cost(10), cost(50_000); many > few+2 {
		t.Errorf("%v allocations with 50,000 rooms, %v with 10", many, few)
	}
}

// A subscriber that applies the changes has what the routes want.
func TestChangesOfRoutesAddUp(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	routes := newRoutes()
	have := map[string]bool{}
	for range 5000 {
		who, name := nobody{r.IntN(3)}, fmt.Sprint(r.IntN(20))
		switch r.IntN(8) {
		case 0:
			routes.add(wire.Subscription{Nsp: "/", Channels: []string{name, name + "'"}, Patterns: []string{"p" + name}}, who)
		case 1:
			routes.remove(who)
		case 2, 3, 4:
			routes.follow(name, who)
		default:
			routes.unfollow(name, who)
		}
		if r.IntN(3) > 0 {
			continue
		}
		anew := r.IntN(10) == 0 // as a new connection does
		if anew {
			clear(have)
		}
		changed := routes.changes(anew)
		for _, names := range []map[string]bool{changed.channels, changed.patterns} {
			for name, wanted := range names {
				if have[name] = wanted; !wanted {
					delete(have, name)
				}
			}
		}
		want := slices.Sorted(maps.Keys(routes.channels))
		for p := range routes.patterns {
			want = append(want, p)
		}
		slices.Sort(want)
		if got := slices.Sorted(maps.Keys(have)); !slices.Equal(got, want) {
			t.Fatalf("subscribed to %v, want %v", got, want)
		}
	}
}

func BenchmarkFollow(b *testing.B) {
	routes := newRoutes()
	for i := range 50_000 {
		routes.follow(fmt.Sprint("room-", i), nobody{1})
	}
	for b.Loop() {
		routes.follow("one more", nobody{1})
		routes.unfollow("one more", nobody{1})
		routes.changes(false)
	}
}

package simulation

import (
	"time"

	"socketio-chat/pkg/e2e/schedule"
)

// kinds are what happens. On is "redis", "line" (the nth person's), or something that each of Count places has; what is done to a place
// whose server has ended is done to nobody.
var kinds = schedule.Kinds[*world]{
	{Name: "kill", Weight: 3, Least: 200 * time.Millisecond, Most: 2 * time.Second, On: "process", Count: firstPlaces, Strike: func(w *world, n int) func() {
		w.places[n].kill()
		return w.places[n].succeed
	}},
	{Name: "term", Weight: 4, Most: 2 * time.Second, On: "process", Count: firstPlaces, Strike: func(w *world, n int) func() {
		w.places[n].end()
		return w.places[n].succeed
	}},
	{Name: "add", Weight: 2, Least: 2 * time.Second, Most: 8 * time.Second, On: "spare", Count: 1, Strike: func(w *world, _ int) func() {
		w.places[sparePlace].succeed()
		return w.places[sparePlace].end
	}},
	{Name: "isolate", Weight: 2, Least: 200 * time.Millisecond, Most: 8 * time.Second, On: "back", Count: firstPlaces, Strike: func(w *world, n int) func() {
		return onServer(w, n, func(s *server) { s.front.Jam(true); s.back.Jam(true) }, func(s *server) { s.front.Jam(false); s.back.Jam(false) })
	}},
	{Name: "redis-kill", Weight: 3, Least: 100 * time.Millisecond, Most: 6 * time.Second, On: "redis", Count: 1, Strike: func(w *world, _ int) func() {
		w.redis.Kill()
		return func() { w.redis.Start(0) }
	}},
	{Name: "redis-forget", Weight: 1, Least: 100 * time.Millisecond, Most: 3 * time.Second, On: "redis", Count: 1, Strike: func(w *world, _ int) func() {
		w.redis.Kill()
		return func() {
			w.mu.Lock()
			w.lost = true
			w.mu.Unlock()
			w.redis.Start(4 * time.Second)
		}
	}},
	{Name: "redis-stop", Weight: 3, Least: 200 * time.Millisecond, Most: 8 * time.Second, On: "redis", Count: 1, Strike: func(w *world, _ int) func() {
		w.redis.Stop(true)
		return func() { w.redis.Stop(false) }
	}},
	{Name: "client-kill", Weight: 3, Most: 100 * time.Millisecond, On: "redis", Count: 1, Strike: func(w *world, _ int) func() {
		w.redis.KillClients()
		return func() {}
	}},
	{Name: "back-cut", Weight: 2, Least: 200 * time.Millisecond, Most: 6 * time.Second, On: "back", Count: firstPlaces, Strike: func(w *world, n int) func() {
		return onServer(w, n, func(s *server) { s.back.Cut() }, func(s *server) { s.back.Mend() })
	}},
	{Name: "back-jam", Weight: 2, Least: 200 * time.Millisecond, Most: 8 * time.Second, On: "back", Count: firstPlaces, Strike: func(w *world, n int) func() {
		return onServer(w, n, func(s *server) { s.back.Jam(true) }, func(s *server) { s.back.Jam(false) })
	}},
	{Name: "back-slow", Weight: 2, Least: 500 * time.Millisecond, Most: 4 * time.Second, On: "back", Count: firstPlaces, Strike: func(w *world, n int) func() {
		return onServer(w, n, func(s *server) { s.back.Slow(time.Duration(50+100*n) * time.Millisecond) }, func(s *server) { s.back.Slow(0) })
	}},
	{Name: "front-slow", Weight: 2, Least: 500 * time.Millisecond, Most: 4 * time.Second, On: "front", Count: firstPlaces, Strike: func(w *world, n int) func() {
		return onServer(w, n, func(s *server) { s.front.Slow(time.Duration(50+100*n) * time.Millisecond) }, func(s *server) { s.front.Slow(0) })
	}},
	{Name: "front-cut", Weight: 1, Most: 500 * time.Millisecond, On: "front", Count: firstPlaces, Strike: func(w *world, n int) func() {
		return onServer(w, n, func(s *server) { s.front.Cut() }, func(s *server) { s.front.Mend() })
	}},
	{Name: "cut", Weight: 10, On: "line", Count: speakers, Strike: func(w *world, n int) func() {
		w.people[n].cut()
		return func() {}
	}},
}.Noted(struck)

// struck notes that something happens, and to which server if it is one's.
func struck(w *world, k schedule.Kind[*world], n int) (over func()) {
	server := 0
	if n < len(w.places) && k.On != "redis" && k.On != "line" {
		if s := w.places[n].server(); s != nil {
			server = s.number
		}
	}
	return w.incidents.Struck(k.Name, server)
}

// onServer does something to the server that is in a place, and undoes it.
func onServer(w *world, n int, do, undo func(*server)) (mend func()) {
	s := w.places[n].server()
	if s == nil {
		return func() {}
	}
	do(s)
	return func() { undo(s) } // also if it has ended: Redis shall find out that it is gone
}

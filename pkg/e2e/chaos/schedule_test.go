package chaos

import (
	"os"
	"syscall"
	"time"

	"socketio-chat/pkg/e2e/schedule"
)

// The places of a nemesis: an instance is in each of the first from the beginning, the last is there to be added.
const (
	firstPlaces = 3
	sparePlace  = 3
)

// kinds are what happens in a nemesis. On is "redis", "line" (the nth person's), or something that each of Count places has.
var kinds = schedule.Kinds[*world]{
	{Name: "kill", Weight: 3, Least: 200 * time.Millisecond, Most: 2 * time.Second, On: "process", Count: firstPlaces, Strike: func(w *world, n int) func() {
		w.instances[n].end(syscall.SIGKILL)
		return func() { w.instances[n].succeed(w.path) }
	}},
	{Name: "term", Weight: 4, Most: 2 * time.Second, On: "process", Count: firstPlaces, Strike: func(w *world, n int) func() {
		w.instances[n].end(syscall.SIGTERM)
		return func() { w.instances[n].succeed(w.path) }
	}},
	{Name: "old", Weight: 2, Most: 2 * time.Second, On: "process", Count: firstPlaces, Off: oldServer() == "", Strike: func(w *world, n int) func() {
		w.instances[n].end(syscall.SIGTERM)
		return func() { w.instances[n].succeed(oldServer()) }
	}},
	{Name: "stop", Weight: 3, Least: 200 * time.Millisecond, Most: 4 * time.Second, On: "process", Count: firstPlaces, Strike: func(w *world, n int) func() {
		w.instances[n].process.signal(pauseSignal)
		return func() { w.instances[n].process.signal(resumeSignal) }
	}},
	{Name: "add", Weight: 2, Least: 2 * time.Second, Most: 8 * time.Second, On: "spare", Count: 1, Strike: func(w *world, _ int) func() {
		in := w.instances[sparePlace]
		in.succeed(w.path)
		return func() { in.end(syscall.SIGTERM) }
	}},
	{Name: "redis-kill", Weight: 3, Least: 100 * time.Millisecond, Most: 4 * time.Second, On: "redis", Count: 1, Strike: func(w *world, _ int) func() {
		w.redis.kill()
		return w.redis.restart
	}},
	{Name: "redis-restart", Weight: 2, Most: time.Second, On: "redis", Count: 1, Strike: func(w *world, _ int) func() {
		w.redis.signal(syscall.SIGTERM)
		return func() { <-w.redis.ended; w.redis.restart() }
	}},
	{Name: "redis-stop", Weight: 3, Least: 200 * time.Millisecond, Most: 4 * time.Second, On: "redis", Count: 1, Strike: func(w *world, _ int) func() {
		w.redis.signal(pauseSignal)
		return func() { w.redis.signal(resumeSignal) }
	}},
	{Name: "client-kill", Weight: 3, Most: 100 * time.Millisecond, On: "redis", Count: 1, Strike: func(w *world, _ int) func() {
		w.redis.do("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
		w.redis.do("CLIENT", "KILL", "TYPE", "pubsub")
		return func() {}
	}},
	{Name: "back-cut", Weight: 2, Least: 200 * time.Millisecond, Most: 4 * time.Second, On: "back", Count: firstPlaces, Strike: func(w *world, n int) func() {
		w.instances[n].back.cut()
		return w.instances[n].back.mend
	}},
	{Name: "back-jam", Weight: 2, Least: 200 * time.Millisecond, Most: 4 * time.Second, On: "back", Count: firstPlaces, Strike: func(w *world, n int) func() {
		w.instances[n].back.jam()
		return w.instances[n].back.unblock
	}},
	{Name: "back-slow", Weight: 2, Least: 500 * time.Millisecond, Most: 4 * time.Second, On: "back", Count: firstPlaces, Strike: func(w *world, n int) func() {
		w.instances[n].back.slow(time.Duration(50+50*n) * time.Millisecond)
		return func() { w.instances[n].back.slow(0) }
	}},
	{Name: "front-slow", Weight: 2, Least: 500 * time.Millisecond, Most: 4 * time.Second, On: "front", Count: firstPlaces, Strike: func(w *world, n int) func() {
		w.instances[n].front.slow(time.Duration(50+50*n) * time.Millisecond)
		return func() { w.instances[n].front.slow(0) }
	}},
	{Name: "front-cut", Weight: 1, Most: 500 * time.Millisecond, On: "front", Count: firstPlaces, Strike: func(w *world, n int) func() {
		w.instances[n].front.cut()
		return w.instances[n].front.mend
	}},
	{Name: "cut", Weight: 10, On: "line", Count: nemesisSpeakers, Strike: func(w *world, n int) func() {
		w.people[n].cut()
		return func() {}
	}},
}.Noted(struck)

// struck notes that something happens, and to which process if it is one's.
func struck(w *world, k schedule.Kind[*world], n int) (over func()) {
	process := 0
	if n < len(w.instances) && k.On != "redis" && k.On != "line" {
		process = w.instances[n].lives()
	}
	return w.incidents.Struck(k.Name, process)
}

// oldServer is the binary of an older version, empty if none takes part.
func oldServer() string { return os.Getenv("CHAT_SERVER_OLD") }

package chaos

import (
	"syscall"
	"time"
)

// A mode is what the servers are configured to promise.
type mode struct {
	name string
	env  []string
	// lossless: nothing is lost across instances, whatever happens to Redis while it keeps its data.
	lossless bool
	// recovers: a client that comes back in time gets what it missed.
	recovers bool
	// keeps: messages are kept, and acknowledged.
	keeps bool
	// long: in the long form only.
	long bool
	// short matches the faults of the short form, all of them if it is empty.
	short string
}

// modes are the rows of one table.
var modes = []mode{
	{name: "pubsub"},
	{name: "sharded", env: []string{"REDIS_ADAPTER=sharded"}, long: true},
	{name: "streams", env: []string{"REDIS_ADAPTER=streams"}, lossless: true},
	{name: "recovery", env: []string{"RECOVERY_SECONDS=120"}, recovers: true, short: "^nothing|clients cut off|instance (drained|killed)"},
	{name: "both", env: []string{"REDIS_ADAPTER=streams", "RECOVERY_SECONDS=120"}, lossless: true, recovers: true, long: true},
}

// A fault is something that happens to the world.
type fault struct {
	name string
	// short and long are how long it lasts in the two forms; a fault without a short form is left out of it.
	short, long time.Duration
	// strike makes it happen and returns what ends it.
	strike func(w *world) (mend func())
	// people lose their connections, and come back.
	moves bool
	// what is said meanwhile may be lost even without it being in any counter: a process has taken them along.
	killsCounters bool
	// recoverable: a client that lost its connection can be given what it missed.
	recoverable bool
	// losesData: Redis itself refuses or forgets, so that no mode can promise anything.
	losesData bool
}

// faults are the rows of the other table. Nothing happens to anything but what is named. Those that take sessions along come
// first: after messages were lost between instances, clients may have to begin new ones for a while.
var faults = []fault{
	{name: "nothing", short: 300 * time.Millisecond, long: 5 * time.Second,
		strike: func(*world) func() { return func() {} }},
	{name: "clients cut off", short: 200 * time.Millisecond, long: 2 * time.Second, moves: true, recoverable: true,
		strike: func(w *world) func() {
			for i, p := range w.people {
				if p.speaks() && i%2 == 0 {
					p.cut()
				}
			}
			return func() {}
		}},
	{name: "an instance drained, replaced", short: 100 * time.Millisecond, long: time.Second, moves: true, killsCounters: true, recoverable: true,
		strike: func(w *world) func() {
			w.instances[1].process.signal(syscall.SIGTERM)
			return func() {
				w.instances[1].process.wantEnd(w.t)
				w.instances[1].start()
			}
		}},
	{name: "Redis away, an instance drained", short: 500 * time.Millisecond, long: 2 * time.Second, moves: true, killsCounters: true,
		strike: func(w *world) func() {
			w.redis.kill()
			w.instances[1].process.signal(syscall.SIGTERM)
			return func() {
				w.redis.restart()
				w.instances[1].process.wantEnd(w.t)
				w.instances[1].start()
			}
		}},
	{name: "Redis killed, restarted", short: 700 * time.Millisecond, long: 15 * time.Second,
		strike: func(w *world) func() {
			w.redis.kill()
			return w.redis.restart
		}},
	{name: "Redis paused", short: 1500 * time.Millisecond, long: 20 * time.Second,
		strike: func(w *world) func() {
			w.redis.signal(pauseSignal)
			return func() { w.redis.signal(resumeSignal) }
		}},
	{name: "one instance cut off from Redis", short: time.Second, long: 30 * time.Second,
		strike: func(w *world) func() {
			w.instances[0].back.cut()
			return w.instances[0].back.mend
		}},
	{name: "all cut off from Redis", long: 60 * time.Second,
		strike: func(w *world) func() {
			for _, in := range w.instances {
				in.back.cut()
			}
			return func() {
				for _, in := range w.instances {
					in.back.mend()
				}
			}
		}},
	{name: "line to Redis silent", long: 20 * time.Second,
		strike: func(w *world) func() {
			w.instances[1].back.jam()
			return w.instances[1].back.unblock
		}},
	{name: "line to Redis slow (2 x 150 ms)", short: time.Second, long: 10 * time.Second,
		strike: func(w *world) func() {
			w.instances[1].back.slow(150 * time.Millisecond)
			return func() { w.instances[1].back.slow(0) }
		}},
	{name: "CLIENT KILL, subscribers", short: 200 * time.Millisecond, long: 2 * time.Second,
		strike: func(w *world) func() {
			w.redis.do("CLIENT", "KILL", "TYPE", "pubsub")
			return func() {}
		}},
	{name: "CLIENT KILL, everybody", short: 200 * time.Millisecond, long: 2 * time.Second,
		strike: func(w *world) func() {
			w.redis.do("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
			w.redis.do("CLIENT", "KILL", "TYPE", "pubsub")
			return func() {}
		}},
	{name: "maxmemory reached", short: 700 * time.Millisecond, long: 15 * time.Second,
		strike: func(w *world) func() {
			w.redis.do("CONFIG", "SET", "maxmemory-policy", "noeviction")
			w.redis.do("CONFIG", "SET", "maxmemory", "1")
			return func() { w.redis.do("CONFIG", "SET", "maxmemory", "0") }
		}},
	{name: "an instance stopped, continued", short: time.Second, long: 15 * time.Second,
		strike: func(w *world) func() {
			p := w.instances[0].process
			p.signal(pauseSignal)
			return func() { p.signal(resumeSignal) }
		}},
	{name: "an instance killed, replaced", short: 500 * time.Millisecond, long: 5 * time.Second, moves: true, killsCounters: true,
		strike: func(w *world) func() {
			w.instances[0].process.kill()
			return w.instances[0].start
		}},
	{name: "an instance killed, replaced on a slow line", short: 500 * time.Millisecond, long: 5 * time.Second, moves: true, killsCounters: true,
		strike: func(w *world) func() {
			in := w.instances[0]
			in.process.kill()
			return func() {
				in.back.slow(150 * time.Millisecond)
				in.start()
				w.gathered()
				in.back.slow(0)
			}
		}},
}

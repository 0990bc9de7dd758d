package status

import (
	"fmt"
	"time"
)

// lookBack is how long ago something may have happened to be worth telling.
const lookBack = time.Minute

// minuteAgoLocked returns the oldest sample that is no older than lookBack.
func (b *Board) minuteAgoLocked(now time.Time) sample {
	for _, s := range b.samples {
		if now.Sub(s.at) <= lookBack {
			return s
		}
	}
	return b.samples[len(b.samples)-1]
}

// judge fills in what needs attention: what is wrong now, or was within lookBack.
func (b *Board) judge(r *Report, ago, now sample) {
	r.Problems = []Problem{}
	add := func(ok bool, advice, format string, args ...any) {
		if !ok {
			r.Problems = append(r.Problems, Problem{fmt.Sprintf(format, args...), advice})
		}
	}
	if r.Redis != nil {
		add(r.Redis.Joined, "This instance serves its own clients only. Look whether Redis runs and can be reached from here; nothing has to be restarted.",
			"Not joined to the other instances for %s", span(r.Redis.SinceS))
		lost := now.redis.Dropped + now.redis.Unknown - ago.redis.Dropped - ago.redis.Unknown
		add(lost == 0, "Clients of other instances have missed them. The log tells why.",
			"%d messages did not reach the other instances in the last minute", lost)
		add(now.redis.Gaps == ago.redis.Gaps, "Clients of this instance have missed what others sent meanwhile.",
			"The subscriptions at Redis were lost in the last minute")
		rejected := now.redis.Rejected - ago.redis.Rejected
		add(rejected == 0, "Something else publishes on the channels of the chat. The log names the channel.",
			"%d messages from Redis were malformed and dropped in the last minute", rejected)
		add(!r.Redis.Joined || r.Redis.LagMS < 500, "Redis, the network to it or this process is overloaded.",
			"A message takes %.0f ms through Redis", r.Redis.LagMS)
	}
	b.judgeMemory(add, ago, now)
	slow := now.slow - ago.slow
	add(slow == 0, "They took less than they were sent: bad networks, or CLIENT_QUEUE_BYTES is too small for this load.",
		"%d slow clients were disconnected in the last minute", slow)
	failed := now.errors - ago.errors
	add(failed == 0, "The log tells which handler failed and why.", "%d events failed in their handler in the last minute", failed)
	add(r.Process.CPU < 0.9*float64(r.Process.Processors), "Deliveries will wait. Add an instance.",
		"%.1f of %d processors are in use", r.Process.CPU, r.Process.Processors)

	r.State = "ok"
	if len(r.Problems) > 0 {
		r.State = "attention"
	}
	if b.Draining != nil && b.Draining() {
		r.State = "draining"
	}
}

// span says how long something has been so.
func span(seconds float64) string {
	return time.Duration(seconds * float64(time.Second)).Round(time.Second).String()
}

// judgeMemory tells what was done, in the last minute, to stay within the memory of the process.
func (b *Board) judgeMemory(add func(ok bool, advice, format string, args ...any), ago, now sample) {
	shed := uint64(0)
	for what, n := range now.memory.Shed {
		shed += n - ago.memory.Shed[what]
	}
	refused := now.memory.Refused - ago.memory.Refused
	const advice = "Give the process more memory (MEMORY_BYTES or the container's limit), add an instance, or look for clients that send or keep too much."
	add(shed == 0 && refused == 0 && !now.memory.Refusing, advice,
		"Memory is short (%d of %d MiB in use): %d new clients were refused and %d connections or kept messages let go in the last minute",
		now.memory.Used>>20, now.memory.Limit>>20, refused, shed)
}

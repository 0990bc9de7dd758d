package chaos

import (
	"encoding/json"
	"maps"
	"strings"
	"syscall"

	"socketio-chat/pkg/e2e/verdict"
)

// end sends the process of a place the signal that ends it, and waits until it has. A process that is asked to end must
// end with code 0.
func (in *instance) end(s syscall.Signal) {
	if in.vacant() {
		return
	}
	if s != syscall.SIGKILL {
		in.process.signal(s)
		in.process.wantEnd(in.w.t)
	} else {
		in.process.kill()
	}
	in.leave(s == syscall.SIGKILL)
}

// succeed puts a new process into the place. People are sent to it once it is ready, as a balancer does.
func (in *instance) succeed(path string) {
	l := in.launch(path)
	eventually(in.w.t, l.process.name+" is ready", func() bool { return probe(l.operators, "/readyz") != "" })
	in.take(l)
}

// fates are the processes that have ended, by what lives was.
func (w *world) fates() map[int]verdict.Ending {
	all := map[int]verdict.Ending{}
	for _, in := range w.instances {
		in.mu.Lock()
		for _, e := range in.ends {
			all[e.life] = verdict.Ending{At: e.at, Killed: e.killed, GaveUp: e.gaveUp()}
		}
		in.mu.Unlock()
	}
	return all
}

// gaveUp tells whether the process said at its end that it gave messages up.
func (e ending) gaveUp() bool { return e.log.mentions("messages for other instances were given up") }

// refused is how often each reason was given for not recovering a client, by what the process logged.
func (p *process) refused() map[string]int {
	times := map[string]int{}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.lines {
		var said struct {
			Msg, Reason string
			Times       int
		}
		if strings.Contains(l, "a client was not recovered") && json.Unmarshal([]byte(l), &said) == nil {
			times[said.Reason] = max(times[said.Reason], said.Times)
		}
	}
	return times
}

func (p *process) mentions(text string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.lines {
		if strings.Contains(l, text) {
			return true
		}
	}
	return false
}

// refusals adds up what all processes logged.
func (w *world) refusals() map[string]int {
	sum := map[string]int{}
	add := func(p *process) {
		for why, n := range maps.All(p.refused()) {
			sum[why] += n
		}
	}
	for _, in := range w.instances {
		in.mu.Lock()
		if in.addr != "" {
			add(in.process)
		}
		for _, e := range in.ends {
			add(e.log)
		}
		in.mu.Unlock()
	}
	return sum
}

// confessions are what the servers that are there count as lost.
func (w *world) confessions() float64 {
	sum, _ := w.confessed()
	return sum
}

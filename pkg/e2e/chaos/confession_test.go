package chaos

import (
	"encoding/json"
	"strings"
	"syscall"

	"socketio-chat/pkg/e2e/verdict"
)

// takeRefusal notes the reason if a line of a process's log tells why a client was not recovered. Such lines, and all others for debugging, are
// not kept.
func (in *instance) takeRefusal(process int, line string) (taken bool) {
	var said struct{ Level, Msg, Reason, Remote string }
	if !strings.Contains(line, `"DEBUG"`) && !strings.Contains(line, verdict.RefusalMessage) || json.Unmarshal([]byte(line), &said) != nil {
		return false
	}
	if said.Msg == verdict.RefusalMessage {
		in.w.refusals.Note(process, said.Remote, said.Reason)
		return true
	}
	return said.Level == "DEBUG"
}

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

// confessions are what the servers that are there count as lost.
func (w *world) confessions() float64 {
	sum, _ := w.confessed()
	return sum
}

//go:build linux

package run

import (
	"fmt"
	"os"
	"time"

	"socketio-chat/pkg/load/procstat"
	"socketio-chat/pkg/load/result"
)

// watcher reads the CPU and memory of the processes under test, of this one, and of the machine.
type watcher struct {
	pids []int
	self int
}

// reading is the state of all of them at one moment.
type reading struct {
	processes []procstat.Sample // as watcher.pids; the zero Sample for one that has ended
	self      time.Duration
	busy      time.Duration
	kernel    int64 // the kernel's own memory, in bytes
}

// newWatcher makes sure that the processes are there.
func newWatcher(pids []int) (*watcher, error) {
	for _, pid := range pids {
		if _, err := procstat.Proc.Read(pid); err != nil {
			return nil, fmt.Errorf("watch a server's CPU and memory: %w", err)
		}
	}
	return &watcher{pids: pids, self: os.Getpid()}, nil
}

func (w *watcher) read() reading {
	var r reading
	for _, pid := range w.pids {
		s, err := procstat.Proc.Read(pid)
		if err != nil {
			s = procstat.Sample{} // a server that ends during the run shows in the counts
		}
		r.processes = append(r.processes, s)
	}
	if s, err := procstat.Proc.Read(w.self); err == nil {
		r.self = s.CPU()
	}
	r.busy, _ = procstat.Proc.Busy()     // 0: then others' CPU is reported as 0
	r.kernel, _ = procstat.Proc.Kernel() // 0: not known
	return r
}

// usage is what each process used between two readings.
func (w *watcher) usage(before, after reading) []result.Usage {
	var all []result.Usage
	for i, pid := range w.pids {
		b, a := before.processes[i], after.processes[i]
		all = append(all, result.Usage{
			PID: pid, Name: b.Name, CPU: max(a.CPU()-b.CPU(), 0).Seconds(), RSSStart: b.RSS, RSSEnd: a.RSS,
		})
	}
	return all
}

// rest is the CPU time in seconds that this process used, and what everything but it and the servers used.
func (w *watcher) rest(before, after reading, servers float64) (self, others float64) {
	self = (after.self - before.self).Seconds()
	others = max((after.busy-before.busy).Seconds()-self-servers, 0)
	return self, others
}

// moments is each process at a sample.
func (w *watcher) moments(before, after reading, elapsed time.Duration) []result.Moment {
	var all []result.Moment
	for i, u := range w.usage(before, after) {
		m := result.Moment{PID: w.pids[i], RSS: u.RSSEnd}
		if elapsed > 0 {
			m.Cores = u.CPU / elapsed.Seconds()
		}
		all = append(all, m)
	}
	return all
}

package verdict

import (
	"slices"
	"sync"
	"time"
)

// How long an instance that has its line again may need until it can be asked, and how long one is missed that Redis does not see any more:
// after that it is taken for dead.
const (
	reconnect = 2500 * time.Millisecond
	missedFor = 5 * time.Second
	wait      = 8 * time.Second // of clients for their session
)

// Incidents are the faults that happened in a run, and since when and until when each process was there: what excuses a session that was not
// recovered. They may be noted and asked for by many goroutines.
type Incidents struct {
	Lossless bool // nothing is lost across instances

	mu      sync.Mutex
	strikes []strike
	began   map[int]time.Time
	ends    map[int]Ending
}

// A strike is a fault that happened: to the Redis, or to the process with this number.
type strike struct {
	kind     string
	process  int
	from, to time.Time // to is zero while it lasts
}

// Struck notes that a fault begins, until over is called. The process is of interest where the fault is one process's.
func (i *Incidents) Struck(kind string, process int) (over func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	n := len(i.strikes)
	i.strikes = append(i.strikes, strike{kind: kind, process: process, from: time.Now()})
	return func() {
		i.mu.Lock()
		defer i.mu.Unlock()
		i.strikes[n].to = time.Now()
	}
}

// Began notes that a process begins.
func (i *Incidents) Began(process int) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.began == nil {
		i.began = map[int]time.Time{}
	}
	i.began[process] = time.Now()
}

// Rules are those by which a run is judged whose processes have ended so.
func (i *Incidents) Rules(ends map[int]Ending) Rules {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.ends = ends
	return Rules{Lossless: i.Lossless, Gone: i.gone}
}

// A span is a time, from one moment to another.
type span struct{ from, to time.Time }

// overlaps tells whether two spans have a moment in common.
func (s span) overlaps(o span) bool { return !s.from.After(o.to) && !o.from.After(s.to) }

// outages are when a process was not reachable through Redis, because that was away, or its line was, or it was stopped itself, in order and
// joined: each lasts until the process may have come back.
func (i *Incidents) outages(process int) (list []span) {
	for _, st := range i.strikes {
		switch st.kind {
		case "redis-kill", "redis-restart", "redis-forget", "redis-stop", "client-kill":
		case "back-cut", "back-jam", "isolate", "stop":
			if st.process != process {
				continue
			}
		default:
			continue
		}
		list = append(list, span{st.from, st.to.Add(reconnect)})
	}
	slices.SortFunc(list, func(a, b span) int { return a.from.Compare(b.from) })
	joined := list[:0]
	for _, s := range list {
		if n := len(joined); n > 0 && !s.from.After(joined[n-1].to) {
			if s.to.After(joined[n-1].to) {
				joined[n-1].to = s.to
			}
			continue
		}
		joined = append(joined, s)
	}
	return joined
}

// Outages tells whether a process was out of reach at some time between two moments.
func (i *Incidents) Outages(process int, from, to time.Time) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.ContainsFunc(i.outages(process), span{from, to}.overlaps)
}

// out is the outage that a process is in at a time.
func (i *Incidents) out(process int, at time.Time) (span, bool) {
	list := i.outages(process)
	n := slices.IndexFunc(list, func(s span) bool { return s.overlaps(span{at, at}) })
	if n < 0 {
		return span{}, false
	}
	return list[n], true
}

// gone tells why a session could not be recovered, "": it should have been.
func (i *Incidents) gone(was, is Stay) string {
	i.mu.Lock()
	defer i.mu.Unlock()
	away := span{was.To.Add(-time.Second), is.From}
	for _, excuse := range []struct {
		why   string
		holds func(was, is Stay, away span) bool
	}{
		{"Redis forgot", i.forgot}, {"its instance or the asked one was cut off", i.cutOff}, {"messages were lost meanwhile", i.gap}, {"its instance ended behind the others", i.behind},
		{"the asked one began when its instance was cut off", i.strangers}, {"it was given to an instance that was killed", i.killedWith},
	} {
		if excuse.holds(was, is, away) {
			return excuse.why
		}
	}
	return ""
}

// forgot: Redis came back without what was stored or said last, or the server that is asked noticed that, while the client was away.
func (i *Incidents) forgot(_, is Stay, away span) bool {
	return slices.ContainsFunc(i.strikes, func(st strike) bool {
		if st.kind != "redis-forget" {
			return false
		}
		noticed := st.to
		if o, out := i.out(is.At, st.to); out {
			noticed = o.to
		}
		return span{st.from, noticed}.overlaps(away)
	})
}

// cutOff: there was no time to ask. Either side was out of reach as long as the client waited; or the session's instance was, for so long that
// it was taken for dead.
func (i *Incidents) cutOff(was, is Stay, away span) bool {
	for _, server := range append([]int{was.At}, is.Tried...) { // one that was tried may have taken it
		if o, out := i.out(server, is.From); out && !o.from.After(is.From.Add(-missedFor)) && !o.from.After(was.To.Add(time.Second)) {
			return true
		}
	}
	if is.Why != "timeout" {
		return false
	}
	both := append(i.outages(was.At), i.outages(is.At)...)
	slices.SortFunc(both, func(a, b span) int { return a.from.Compare(b.from) })
	well := is.From.Add(-wait) // since when all was well
	for _, s := range both {
		if s.from.Sub(well) > time.Second && s.from.Before(is.From) && well.Before(is.From) {
			return false
		}
		if s.to.After(well) {
			well = s.to
		}
	}
	return is.From.Sub(well) <= time.Second
}

// gap: where Redis keeps no messages, those are lost that are published while an instance cannot hear them.
func (i *Incidents) gap(was, is Stay, away span) bool {
	return (is.Why == "cut" || was.Ended == "cut") && !i.Lossless && slices.ContainsFunc(append(i.outages(was.At), i.outages(is.At)...), away.overlaps)
}

// behind: the session's instance ended before it could hear what others had said, and so do its sessions.
func (i *Incidents) behind(was, is Stay, _ span) bool {
	end, ended := i.ends[was.At]
	if is.Why != "cut" || !ended || end.Killed {
		return false
	}
	o, out := i.out(was.At, end.At)
	return out && o.from.Before(was.To)
}

// strangers: the server that is asked began when Redis did not see the session's instance, and has not heard of it.
func (i *Incidents) strangers(was, is Stay, _ span) bool {
	began := i.began[is.At]
	o, out := i.out(was.At, began)
	return out && is.Why == "unknown" && (o.overlaps(span{is.From, is.From}) || is.From.Sub(began) < missedFor)
}

// killedWith: an instance that the client asked before was killed when it may have had the session already. Where that went, its former
// instance cannot take back: the one that was killed may have let the client in, and into rooms, of whose words nobody knows any more which
// it has had. (Nor does the client, whose offset is of the latest event, not of the rooms that it was in.)
func (i *Incidents) killedWith(was, is Stay, away span) bool {
	return (is.Why == "unknown" || is.Why == "timeout") && slices.ContainsFunc(is.Tried[:max(0, len(is.Tried)-1)], func(server int) bool {
		end, ended := i.ends[server]
		return ended && end.Killed && span{end.At, end.At}.overlaps(away) && server != was.At
	})
}

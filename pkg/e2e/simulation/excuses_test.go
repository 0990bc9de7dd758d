package simulation

import (
	"slices"
	"time"

	"socketio-chat/pkg/e2e/verdict"
)

// How long an instance that has its line again may need until it can be asked, and how long one is missed that Redis does not see any more:
// after that it is taken for dead.
const (
	reconnect = 2500 * time.Millisecond
	missedFor = 5 * time.Second
	wait      = 8 * time.Second // of clients for their session
)

// A span is a time, from one moment to another.
type span struct{ from, to time.Time }

// overlaps tells whether two spans have a moment in common.
func (s span) overlaps(o span) bool { return !s.from.After(o.to) && !o.from.After(s.to) }

// outages are when a server was not reachable through Redis, because that was away or its line was, in order and joined: each lasts until the
// server may have come back.
func (w *world) outages(server int) (list []span) {
	for _, st := range w.strikes {
		switch st.kind {
		case "redis-kill", "redis-forget", "redis-stop", "client-kill":
		case "back-cut", "back-jam", "isolate":
			if st.server != server {
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

// out is the outage that a server is in at a time.
func (w *world) out(server int, at time.Time) (span, bool) {
	list := w.outages(server)
	i := slices.IndexFunc(list, func(s span) bool { return s.overlaps(span{at, at}) })
	if i < 0 {
		return span{}, false
	}
	return list[i], true
}

// gone tells why a session could not be recovered, "": it should have been.
func (w *world) gone(was, is verdict.Stay) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	away := span{was.To.Add(-time.Second), is.From}
	for _, excuse := range []struct {
		why   string
		holds func(was, is verdict.Stay, away span) bool
	}{
		{"Redis forgot", w.forgot}, {"its instance or the asked one was cut off", w.cutOff}, {"messages were lost meanwhile", w.gap}, {"its instance ended behind the others", w.behind},
		{"the asked one began when its instance was cut off", w.strangers}, {"it was given to an instance that was killed", w.killedWith},
	} {
		if excuse.holds(was, is, away) {
			return excuse.why
		}
	}
	return ""
}

// forgot: Redis came back without what was stored or said last, or the server that is asked noticed that, while the client was away.
func (w *world) forgot(_, is verdict.Stay, away span) bool {
	return slices.ContainsFunc(w.strikes, func(st strike) bool {
		if st.kind != "redis-forget" {
			return false
		}
		noticed := st.to
		if o, out := w.out(is.At, st.to); out {
			noticed = o.to
		}
		return span{st.from, noticed}.overlaps(away)
	})
}

// cutOff: there was no time to ask. Either side was out of reach as long as the client waited; or the session's instance was, for so long that
// it was taken for dead.
func (w *world) cutOff(was, is verdict.Stay, away span) bool {
	for _, server := range append([]int{was.At}, is.Tried...) { // one that was tried may have taken it
		if o, out := w.out(server, is.From); out && !o.from.After(is.From.Add(-missedFor)) && !o.from.After(was.To.Add(time.Second)) {
			return true
		}
	}
	if is.Why != "timeout" {
		return false
	}
	both := append(w.outages(was.At), w.outages(is.At)...)
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
func (w *world) gap(was, is verdict.Stay, away span) bool {
	return (is.Why == "cut" || was.Ended == "cut") && !w.mode.lossless() && slices.ContainsFunc(append(w.outages(was.At), w.outages(is.At)...), away.overlaps)
}

// behind: the session's instance ended before it could hear what others had said, and so do its sessions.
func (w *world) behind(was, is verdict.Stay, _ span) bool {
	end := w.lives[was.At-1].ending
	if is.Why != "cut" || end == nil || end.Killed {
		return false
	}
	o, out := w.out(was.At, end.At)
	return out && o.from.Before(was.To)
}

// strangers: the server that is asked began when Redis did not see the session's instance, and has not heard of it.
func (w *world) strangers(was, is verdict.Stay, _ span) bool {
	began := w.lives[is.At-1].began
	o, out := w.out(was.At, began)
	return out && is.Why == "unknown" && (o.overlaps(span{is.From, is.From}) || is.From.Sub(began) < missedFor)
}

// killedWith: an instance that the client asked before was killed when it may have had the session already. Where that went, its former
// instance cannot take back: the one that was killed may have let the client in, and into rooms, of whose words nobody knows any more which
// it has had. (Nor does the client, whose offset is of the latest event, not of the rooms that it was in.)
func (w *world) killedWith(was, is verdict.Stay, away span) bool {
	return (is.Why == "unknown" || is.Why == "timeout") && slices.ContainsFunc(is.Tried[:max(0, len(is.Tried)-1)], func(server int) bool {
		end := w.lives[server-1].ending
		return end != nil && end.Killed && span{end.At, end.At}.overlaps(away) && server != was.At
	})
}

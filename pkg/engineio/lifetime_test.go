package engineio

import "testing"

// However a connection ends, and however often it is told to: where it is in its life only
// grows, the first reason stays, and one that left was sent away.
func TestLifetime(t *testing.T) {
	type step func(*lifetime) bool
	closes := func(l *lifetime) bool { return l.close(false, false) }
	leaves := func(l *lifetime) bool { return l.close(true, true) }
	leavesUnheard := func(l *lifetime) bool { return l.close(true, false) }
	ends := func(reason, told CloseReason) step {
		return func(l *lifetime) bool {
			got, first := l.end(reason)
			return first && got == told
		}
	}
	for _, tt := range []struct {
		name  string
		steps []step // each of which must be the first
		late  []step // and these too late
		want  lifetime
		hears bool
	}{
		{name: "open", hears: true},
		{name: "closing", steps: []step{closes}, late: []step{closes, leaves}, want: lifetime{state: stateClosing}},
		{name: "leaving", steps: []step{leaves}, late: []step{leaves},
			want: lifetime{state: stateClosing, leaving: true, hears: true}, hears: true},
		{name: "leaving, then closed", steps: []step{leaves}, late: []step{closes}, want: lifetime{state: stateClosing, leaving: true}},
		{name: "leaving unheard", steps: []step{leavesUnheard}, late: []step{leaves}, want: lifetime{state: stateClosing, leaving: true}},
		{name: "the client has gone", steps: []step{ends(TransportClose, TransportClose)},
			late: []step{ends(PingTimeout, PingTimeout), closes, leaves}, want: lifetime{state: stateClosed, lost: true}},
		{name: "too slow", steps: []step{closes, ends(SlowClient, SlowClient)}, want: lifetime{state: stateClosed}},
		{name: "gone after it was sent away", steps: []step{leaves, ends(TransportClose, ServerShutdown)},
			late: []step{ends(TransportClose, TransportClose)}, want: lifetime{state: stateClosed, leaving: true, hears: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var l lifetime
			for i, step := range tt.steps {
				if !step(&l) {
					t.Errorf("step %d does nothing", i)
				}
			}
			for i, step := range tt.late {
				if step(&l) {
					t.Errorf("step %d is too late and does something", i)
				}
			}
			if l != tt.want || l.receives() != tt.hears {
				t.Errorf("%+v, receives %v; want %+v", l, l.receives(), tt.want)
			}
		})
	}
}

// A pong ends the wait for it; another packet lets it begin again, once for each ping.
func TestHeartbeatGrace(t *testing.T) {
	var h heartbeat
	if _, ok := h.pong(1); ok || h.grace() {
		t.Error("a pong is waited for before any ping")
	}
	for range 2 {
		h.ping(100)
		if !h.grace() || h.grace() {
			t.Error("the wait begins again, once")
		}
		if took, ok := h.pong(350); !ok || took.Microseconds() != 250 {
			t.Errorf("pong after %v, %v", took, ok)
		}
		if _, ok := h.pong(400); ok || h.grace() {
			t.Error("the pong has come, and is waited for")
		}
	}
}

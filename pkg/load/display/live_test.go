package display

import (
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
)

func TestPanel(t *testing.T) {
	var m tea.Model = panel{title: "the title", cancel: func() {}}
	for range history + 5 {
		m, _ = m.Update(sample)
	}
	got := m.View().Content
	for _, want := range []string{"the title", "measuring, 6 of 8 s", "connected     200", "20k", strings.Repeat("█", history), "p99 2.5 ms", red + "3", "pid 42", "50%"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if n := len(m.(panel).rates); n != history {
		t.Errorf("keeps %d samples", n)
	}
}

func TestKeysStopTheRun(t *testing.T) {
	for _, key := range []tea.Key{{Code: 'q', Text: "q"}, {Code: tea.KeyEscape}, {Code: 'c', Mod: tea.ModCtrl}} {
		stopped := false
		var m tea.Model = panel{cancel: func() { stopped = true }}
		m, _ = m.Update(tea.KeyPressMsg{Code: 'x', Text: "x"})
		if stopped {
			t.Error("x stops the run")
		}
		m, _ = m.Update(tea.KeyPressMsg(key))
		if !stopped || !strings.Contains(m.View().Content, "stopping") {
			t.Errorf("%s: stopped %v", key, stopped)
		}
	}
}

func TestGraph(t *testing.T) {
	for _, tt := range []struct {
		values []float64
		want   string
	}{{nil, ""}, {[]float64{0, 0}, ""}, {[]float64{0, 50, 100}, "▁▅█"}, {[]float64{5}, "█"}} {
		if got := graph(tt.values); got != tt.want {
			t.Errorf("%v: %q, want %q", tt.values, got, tt.want)
		}
	}
}

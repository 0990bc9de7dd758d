package display

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/term"

	"socketio-chat/pkg/load/result"
)

// Display shows the progress of a run until it is closed.
type Display interface {
	Progress(s result.Sample)
	Close()
}

// New gives the live panel if out is a terminal and plain is not asked for, else plain lines. cancel is called when
// the user wants to stop.
func New(out io.Writer, plain bool, title string, cancel context.CancelFunc) Display {
	f, ok := out.(*os.File)
	if plain || !ok || !term.IsTerminal(f.Fd()) || !term.IsTerminal(os.Stdin.Fd()) {
		fmt.Fprintln(out, title)
		return Plain{Out: out}
	}
	p := tea.NewProgram(panel{title: title, cancel: cancel}, tea.WithOutput(f), tea.WithFPS(framesPerSecond), tea.WithoutSignalHandler())
	l := &live{program: p, ended: make(chan struct{})}
	go func() {
		defer close(l.ended)
		_, _ = p.Run() // without a display the run goes on; the summary tells everything
	}()
	return l
}

// Close implements Display.
func (p Plain) Close() {}

// framesPerSecond is low: the machine may be needed for the measurement.
const framesPerSecond = 4

type live struct {
	program *tea.Program
	ended   chan struct{}
}

func (l *live) Progress(s result.Sample) { l.program.Send(s) }

func (l *live) Close() {
	l.program.Quit()
	<-l.ended
}

// history is how many samples the panel's little graph shows.
const history = 48

// panel is the picture; bubbletea calls it from one goroutine.
type panel struct {
	title  string
	cancel context.CancelFunc
	now    result.Sample
	rates  []float64
	ending bool
}

// Init implements tea.Model.
func (p panel) Init() tea.Cmd { return nil }

// Update implements tea.Model.
func (p panel) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case result.Sample:
		p.now = msg
		p.rates = append(p.rates, msg.Deliveries+msg.Notices)
		if len(p.rates) > history {
			p.rates = p.rates[1:]
		}
	case tea.KeyPressMsg:
		switch msg.String() {
		case "q", "esc", "ctrl+c":
			p.ending = true
			p.cancel()
		}
	}
	return p, nil
}

// View implements tea.Model.
func (p panel) View() tea.View { return tea.NewView(p.text()) }

// Terminal attributes, SGR.
const (
	bold  = "\x1b[1m"
	faint = "\x1b[2m"
	red   = "\x1b[31m"
	plain = "\x1b[0m"
)

func (p panel) text() string {
	s := p.now
	var b strings.Builder
	fmt.Fprintf(&b, "%s%s%s\n", bold, p.title, plain)
	phase := s.Progress()
	if p.ending {
		phase = "stopping"
	}
	fmt.Fprintf(&b, "  %s\n\n", phase)
	fmt.Fprintf(&b, "  connected     %d\n", s.Connected)
	fmt.Fprintf(&b, "  deliveries/s  %-8s %s\n", Count(s.Deliveries), graph(p.rates))
	if s.Notices > 0 {
		fmt.Fprintf(&b, "  notices/s     %s\n", Count(s.Notices))
	}
	fmt.Fprintf(&b, "  latency       p50 %s   p99 %s\n", Micros(s.P50), Micros(s.P99))
	fmt.Fprintf(&b, "  faults        lost %s   reordered %s\n", fault(s.Missing), fault(s.Reordered))
	for _, m := range s.Processes {
		fmt.Fprintf(&b, "  pid %-9d CPU %3.0f%%   memory %s\n", m.PID, m.Cores*100, Bytes(m.RSS))
	}
	fmt.Fprintf(&b, "\n%sq stops%s\n", faint, plain)
	return b.String()
}

func fault(n uint64) string {
	if n == 0 {
		return "0"
	}
	return fmt.Sprintf("%s%d%s", red, n, plain)
}

// graph draws values as a row of bars, the highest full.
func graph(values []float64) string {
	bars := []rune("▁▂▃▄▅▆▇█")
	top := 0.0
	for _, v := range values {
		top = max(top, v)
	}
	if top == 0 {
		return ""
	}
	out := make([]rune, len(values))
	for i, v := range values {
		out[i] = bars[min(int(v/top*float64(len(bars))), len(bars)-1)]
	}
	return string(out)
}

package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"os"
	"time"

	"socketio-chat/pkg/load/display"
	"socketio-chat/pkg/load/result"
)

// MaxRuns is how many runs a page can compare; more cannot be told apart in a plot.
const MaxRuns = 12

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"micros": display.Micros,
	"count":  display.Count,
	"bytes":  display.Bytes,
	"load":   loadOf,
	"swatch": swatch,
	"number": number,
}).Parse(pageText))

// content is what the page shows.
type content struct {
	Runs     []*result.Run
	Names    []string
	Verdicts []verdict
	Figures  []figure
	Made     string
}

// figure is a plot with its words.
type figure struct {
	Title, Caption string
	SVG            template.HTML
}

// Write makes the page. The runs keep their order; those without a label are numbered.
func Write(w io.Writer, runs []*result.Run) error {
	if len(runs) == 0 || len(runs) > MaxRuns {
		return fmt.Errorf("a page shows 1 to %d runs, not %d", MaxRuns, len(runs))
	}
	c := content{Runs: runs, Made: time.Now().Format(time.DateTime)}
	for i, r := range runs {
		name := r.Label
		if name == "" {
			name = fmt.Sprintf("run %d", i+1)
		}
		c.Names = append(c.Names, name)
	}
	figures, err := figures(runs, c.Names)
	if err != nil {
		return fmt.Errorf("draw the plots: %w", err)
	}
	c.Figures, c.Verdicts = figures, verdicts(runs, c.Names)
	if err := page.Execute(w, c); err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	return nil
}

// WriteFile makes the page in a file.
func WriteFile(path string, runs []*result.Run) error {
	var b bytes.Buffer
	if err := Write(&b, runs); err != nil {
		return err
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	return nil
}

// loadOf says in a few words what load a run made.
func loadOf(s result.Settings) string {
	clients := fmt.Sprintf("%d clients, %s, protocol %d", s.Clients, s.Transport, s.Protocol)
	switch {
	case s.Senders == 0:
		return clients + ", idle"
	case s.Rate > 0:
		return fmt.Sprintf("%s; %d senders, %g messages/s of %d bytes", clients, s.Senders, s.Rate, s.Size)
	}
	return fmt.Sprintf("%s; %d senders, %d messages of %d bytes in flight each", clients, s.Senders, s.InFlight, s.Size)
}

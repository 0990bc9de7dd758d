//go:build linux

package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"socketio-chat/pkg/load/result"
	"socketio-chat/pkg/load/run"
)

// Options says what to measure.
type Options struct {
	Rows    []string // names; empty: all
	Quick   bool     // short windows, one repeat
	Repeats int      // 0: as full or quick says
	Binary  string   // our server; "": build ./cmd/chat-server
	RunsDir string   // where every trial's result is written; "": nowhere
	Out     io.Writer
}

// Names lists the rows of the table.
func Names() []string {
	var names []string
	for _, r := range table(fullTiming) {
		names = append(names, r.name)
	}
	return names
}

// bench is one call of Run.
type bench struct {
	opts    Options
	timing  timing
	servers *servers
}

// Run measures the table and prints it to Options.Out. The Report has what was printed. An error means that something
// could not be measured, not that a target was missed; the rows before it are in the Report.
func Run(ctx context.Context, opts Options) (*Report, error) {
	b := &bench{opts: opts, timing: fullTiming}
	if opts.Quick {
		b.timing = quickTiming
	}
	rows, err := b.rows()
	if err != nil {
		return nil, err
	}
	if err := raiseFileLimit(); err != nil {
		return nil, err
	}
	temp, err := os.MkdirTemp("", "chat-bench-")
	if err != nil {
		return nil, fmt.Errorf("make a directory for the bench: %w", err)
	}
	defer os.RemoveAll(temp)
	b.servers = &servers{binary: opts.Binary, temp: temp, log: b.printf}
	if opts.Binary != "" {
		if b.servers.binary, err = filepath.Abs(opts.Binary); err != nil {
			return nil, err
		}
	}
	report := &Report{Started: time.Now().Round(time.Second), Machine: result.ThisMachine(), Quick: opts.Quick}
	ctx, cancel := context.WithTimeoutCause(ctx, b.timing.total, errTooLong)
	defer cancel()
	for _, r := range rows {
		outcome, err := b.row(ctx, r)
		if ctx.Err() != nil {
			return report, fmt.Errorf("row %s: %w", r.name, context.Cause(ctx))
		}
		if err != nil { // a server that fails one row may still serve the others
			b.printf("  FAILED: %v", err)
			outcome = Row{Name: r.name, Work: r.work, Error: err.Error()}
		}
		report.Rows = append(report.Rows, outcome)
	}
	report.Seconds = time.Since(report.Started).Seconds()
	return report, nil
}

var errTooLong = errors.New("the bench takes too long: measure single rows with --row")

func (b *bench) printf(format string, args ...any) { fmt.Fprintf(b.opts.Out, format+"\n", args...) }

// rows are the wanted ones.
func (b *bench) rows() ([]row, error) {
	all := table(b.timing)
	if len(b.opts.Rows) == 0 {
		return all, nil
	}
	var rows []row
	for _, name := range b.opts.Rows {
		i := slices.IndexFunc(all, func(r row) bool { return r.name == name })
		if i < 0 {
			return nil, fmt.Errorf("no row is called %q; there are %s", name, strings.Join(Names(), ", "))
		}
		rows = append(rows, all[i])
	}
	return rows, nil
}

// trial starts a variant's servers, loads them and stops them.
func (b *bench) trial(ctx context.Context, r row, v variant, repeat int) (measures, error) {
	g, err := b.servers.start(ctx, v)
	if err != nil {
		return measures{}, err
	}
	defer g.stop()
	cfg := v.load
	cfg.Label = r.name + ", " + v.name
	cfg.Servers, cfg.PIDs = g.addresses()
	found, err := run.Run(ctx, cfg, nil)
	if err != nil {
		return measures{}, err
	}
	if b.opts.RunsDir != "" {
		name := fmt.Sprintf("%s-%s-%d.json", r.name, strings.NewReplacer(" ", "-", ",", "", ".", "").Replace(v.name), repeat+1)
		if err := errors.Join(os.MkdirAll(b.opts.RunsDir, 0o755), found.Save(filepath.Join(b.opts.RunsDir, name))); err != nil {
			return measures{}, err
		}
	}
	return measure(found), nil
}

// raiseFileLimit lets this process and the servers, which inherit it, open as many sockets as the system allows.
func raiseFileLimit() error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("read the limit of open files: %w", err)
	}
	if limit.Max < idleClients+1000 {
		return fmt.Errorf("the limit of open files is %d, the bench needs %d: raise it (ulimit -Hn)", limit.Max, idleClients+1000)
	}
	limit.Cur = limit.Max
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("raise the limit of open files: %w", err)
	}
	return nil
}

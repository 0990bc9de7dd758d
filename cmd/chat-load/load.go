//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"socketio-chat/pkg/load/client"
	"socketio-chat/pkg/load/display"
	"socketio-chat/pkg/load/report"
	"socketio-chat/pkg/load/result"
	"socketio-chat/pkg/load/run"
)

// list is a flag that may be repeated or hold several values with commas between them.
type list []string

func (l *list) String() string { return strings.Join(*l, ",") }

// Set implements flag.Value.
func (l *list) Set(s string) error {
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part == "" {
			return errors.New("an empty value")
		}
		*l = append(*l, part)
	}
	return nil
}

// loadFlags is what the command line of a load run says.
type loadFlags struct {
	cfg        run.Config
	json, html string
	plain      bool
	strict     bool
}

func parseLoad(args []string, stdout io.Writer) (*loadFlags, error) {
	f := &loadFlags{}
	cfg := &f.cfg
	fs := flag.NewFlagSet("chat-load", flag.ContinueOnError)
	var servers, pids, sources list
	fs.Var(&servers, "server", "")
	fs.Var(&pids, "pid", "")
	fs.Var(&sources, "source", "")
	fs.StringVar(&cfg.Label, "label", "", "")
	fs.IntVar(&cfg.Clients, "clients", 100, "")
	fs.IntVar(&cfg.Senders, "senders", -1, "")
	fs.Float64Var(&cfg.Rate, "rate", 0, "")
	fs.IntVar(&cfg.InFlight, "in-flight", 0, "")
	fs.IntVar(&cfg.Size, "size", 32, "")
	transport := fs.String("transport", string(client.WebSocket), "")
	fs.IntVar(&cfg.Protocol, "protocol", 4, "")
	fs.StringVar(&cfg.Path, "path", "", "")
	fs.StringVar(&cfg.Namespace, "namespace", "", "")
	dialect := fs.String("dialect", "", "")
	fs.DurationVar(&cfg.Ramp, "ramp", 0, "")
	fs.IntVar(&cfg.Connecting, "connecting", 250, "")
	fs.DurationVar(&cfg.Warmup, "warmup", 2*time.Second, "")
	fs.DurationVar(&cfg.Duration, "duration", 10*time.Second, "")
	fs.DurationVar(&cfg.Drain, "drain", 5*time.Second, "")
	fs.BoolVar(&cfg.AwaitJoins, "await-joins", false, "")
	fs.BoolVar(&cfg.Watch, "watch", false, "")
	fs.IntVar(&cfg.Threads, "threads", 1, "")
	fs.BoolVar(&cfg.AllowRemote, "allow-remote", false, "")
	fs.StringVar(&f.json, "json", "", "")
	fs.StringVar(&f.html, "html", "", "")
	fs.BoolVar(&f.plain, "plain", false, "")
	fs.BoolVar(&f.strict, "strict", false, "")
	if err := parse(fs, args, stdout, usage); err != nil {
		return nil, err
	}
	if fs.NArg() > 0 {
		return nil, fmt.Errorf("%q is no flag and no command (see chat-load --help)", fs.Arg(0))
	}
	cfg.Servers, cfg.Sources, cfg.Transport = servers, sources, client.Transport(*transport)
	cfg.Dialect = client.Dialect(*dialect)
	if cfg.Senders < 0 { // not given: as many as usual, or as there are
		cfg.Senders = min(10, cfg.Clients)
	}
	if cfg.Senders > 0 && cfg.Rate == 0 && cfg.InFlight == 0 {
		cfg.Rate = 100
	}
	var err error
	cfg.PIDs, err = numbers(pids)
	return f, err
}

func numbers(l list) ([]int, error) {
	var all []int
	for _, s := range l {
		n, err := strconv.Atoi(s)
		if err != nil {
			return nil, fmt.Errorf("--pid %q: %w", s, err)
		}
		all = append(all, n)
	}
	return all, nil
}

// parse reads args, and prints the help instead if they ask for it.
func parse(fs *flag.FlagSet, args []string, stdout io.Writer, help string) error {
	fs.SetOutput(io.Discard) // errors are printed once, by main
	err := fs.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stdout, help)
	}
	return err
}

// title says in one line what is done.
func title(c run.Config) string {
	load := "idle"
	switch {
	case c.Senders > 0 && c.Rate > 0:
		load = fmt.Sprintf("%d senders, %g messages/s", c.Senders, c.Rate)
	case c.Senders > 0:
		load = fmt.Sprintf("%d senders, %d messages in flight each", c.Senders, c.InFlight)
	}
	return fmt.Sprintf("%s: %d clients (%s, protocol %d), %s, %v",
		strings.Join(c.Servers, " "), c.Clients, c.Transport, c.Protocol, load, c.Duration)
}

func runLoad(ctx context.Context, args []string, stdout io.Writer) error {
	f, err := parseLoad(args, stdout)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	show := display.New(stdout, f.plain, title(f.cfg), cancel)
	r, err := run.Run(ctx, f.cfg, show)
	show.Close()
	if r == nil {
		return err
	}
	display.Summary(stdout, r)
	if f.json != "" {
		err = errors.Join(err, r.Save(f.json))
	}
	if f.html != "" {
		err = errors.Join(err, report.WriteFile(f.html, []*result.Run{r}))
	}
	if err == nil && f.strict && !r.Counts.Faultless() {
		return fmt.Errorf("%w: lost %d, duplicates %d, reordered %d, damaged %d, cut off %d", errFaults,
			r.Counts.Lost, r.Counts.Duplicates, r.Counts.Reordered, r.Counts.Damaged, r.Counts.Left)
	}
	return err
}

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
	"socketio-chat/pkg/load/run"
)

func command(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	return load(ctx, args, stdout, stderr)
}

// list is a flag that may be repeated or hold several values with commas between them.
type list []string

func (l *list) String() string { return strings.Join(*l, ",") }

func (l *list) Set(s string) error {
	for _, part := range strings.Split(s, ",") {
		if part = strings.TrimSpace(part); part == "" {
			return errors.New("an empty value")
		}
		*l = append(*l, part)
	}
	return nil
}

func load(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var cfg run.Config
	fs := flag.NewFlagSet("chat-load", flag.ContinueOnError)
	var servers, pids, sources list
	fs.Var(&servers, "server", "")
	fs.Var(&pids, "pid", "")
	fs.Var(&sources, "source", "")
	fs.IntVar(&cfg.Clients, "clients", 100, "")
	fs.IntVar(&cfg.Senders, "senders", 10, "")
	fs.Float64Var(&cfg.Rate, "rate", 0, "")
	fs.IntVar(&cfg.InFlight, "in-flight", 0, "")
	fs.IntVar(&cfg.Size, "size", 32, "")
	transport := fs.String("transport", "websocket", "")
	fs.IntVar(&cfg.Protocol, "protocol", 4, "")
	fs.DurationVar(&cfg.Ramp, "ramp", 0, "")
	fs.IntVar(&cfg.Connecting, "connecting", 250, "")
	fs.DurationVar(&cfg.Warmup, "warmup", time.Second, "")
	fs.DurationVar(&cfg.Duration, "duration", 10*time.Second, "")
	fs.DurationVar(&cfg.Drain, "drain", 5*time.Second, "")
	fs.BoolVar(&cfg.AwaitJoins, "await-joins", false, "")
	jsonPath := fs.String("json", "", "")
	if err := fs.Parse(args); err != nil {
		return err
	}
	cfg.Servers = servers
	cfg.Transport = client.Transport(*transport)
	cfg.Sources = sources
	for _, p := range pids {
		n, err := strconv.Atoi(p)
		if err != nil {
			return fmt.Errorf("pid %q: %w", p, err)
		}
		cfg.PIDs = append(cfg.PIDs, n)
	}
	r, err := run.Run(ctx, cfg, display.Plain{Out: stdout})
	if r != nil {
		display.Summary(stdout, r)
		if *jsonPath != "" {
			err = errors.Join(err, r.Save(*jsonPath))
		}
	}
	return err
}

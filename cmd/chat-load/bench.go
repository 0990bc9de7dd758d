//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"socketio-chat/cmd/chat-load/bench"
)

func runBench(ctx context.Context, args []string, stdout io.Writer) error {
	opts := bench.Options{Out: stdout}
	fs := flag.NewFlagSet("chat-load bench", flag.ContinueOnError)
	help := fmt.Sprintf(benchUsage, strings.Join(bench.Names(), ", "))
	fs.Var((*list)(&opts.Rows), "row", "")
	fs.BoolVar(&opts.Quick, "quick", false, "")
	fs.IntVar(&opts.Repeats, "repeats", 0, "")
	fs.StringVar(&opts.Binary, "binary", "", "")
	fs.StringVar(&opts.RunsDir, "runs", "", "")
	jsonPath := fs.String("json", "", "")
	if err := parse(fs, args, stdout, help); err != nil {
		return err
	}
	if opts.Repeats < 0 || opts.Repeats > 20 {
		return fmt.Errorf("--repeats %d is not between 0 and 20", opts.Repeats)
	}
	if fs.NArg() > 0 {
		return fmt.Errorf("%q is no flag of the bench (see chat-load bench --help)", fs.Arg(0))
	}
	r, err := bench.Run(ctx, opts)
	if r == nil {
		return err
	}
	err = errors.Join(err, r.Print(stdout))
	if *jsonPath != "" {
		err = errors.Join(err, r.Save(*jsonPath))
	}
	if err == nil && !r.Passed() {
		return fmt.Errorf("%w: at least one target is missed", errFaults)
	}
	return err
}

//go:build linux

package main

import (
	"errors"
	"flag"
	"fmt"
	"io"

	"socketio-chat/pkg/load/report"
	"socketio-chat/pkg/load/result"
)

func runReport(args []string, stdout io.Writer) error {
	out := "chat-load.html"
	var files []string
	fs := flag.NewFlagSet("chat-load report", flag.ContinueOnError)
	fs.StringVar(&out, "o", out, "")
	// Flags may stand behind file names too.
	for len(args) > 0 {
		if err := parse(fs, args, stdout, reportUsage); err != nil {
			return err
		}
		args = fs.Args()
		if len(args) > 0 {
			files, args = append(files, args[0]), args[1:]
		}
	}
	if len(files) == 0 {
		return errors.New("name the results to show (see chat-load report --help)")
	}
	var runs []*result.Run
	for _, file := range files {
		r, err := result.Load(file)
		if err != nil {
			return err
		}
		if r.Label == "" {
			r.Label = file
		}
		runs = append(runs, r)
	}
	if err := report.WriteFile(out, runs); err != nil {
		return err
	}
	fmt.Fprintln(stdout, "wrote", out)
	return nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// errInterrupted is the cause of the end when somebody pressed Ctrl-C: that person sits there and waits for it.
var errInterrupted = errors.New("interrupted")

// untilSignal returns a context that ends with SIGTERM, SIGHUP or SIGINT; context.Cause tells SIGINT by errInterrupted.
// SIGHUP is what a server started by hand gets when its terminal closes: its clients are moved as at SIGTERM. From then on
// signals have their usual effect: the second one ends the process at once, but for SIGHUP, which may follow SIGTERM.
func untilSignal(terminal io.Writer) context.Context {
	ctx, end := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // nohup ignores it for us
		signal.Notify(signals, syscall.SIGHUP)
	}
	go func() { // ends with the first signal, or with the process
		first := <-signals
		signal.Stop(signals)
		signal.Ignore(syscall.SIGHUP)
		if first != syscall.SIGINT {
			end(nil)
			return
		}
		if isTerminal(terminal) {
			fmt.Fprintln(terminal) // after the terminal's ^C
		}
		end(errInterrupted)
	}()
	return ctx
}

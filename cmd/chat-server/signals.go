package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
)

// errInterrupted is the cause of the end when somebody pressed Ctrl-C: whoever sits there
// waits for it.
var errInterrupted = errors.New("interrupted")

// untilSignal returns a context that ends with SIGTERM or SIGINT; context.Cause tells
// SIGINT by errInterrupted. From then on signals have their usual effect: the second one
// ends the process at once.
func untilSignal() context.Context {
	ctx, end := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go func() { // ends with the first signal, or with the process
		first := <-signals
		signal.Stop(signals)
		if first == syscall.SIGINT {
			end(errInterrupted)
		} else {
			end(nil)
		}
	}()
	return ctx
}

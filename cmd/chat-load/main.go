//go:build linux

// Command chat-load puts load on servers that keep the chat contract, and measures what they make of it.
//
//	chat-load --server http://127.0.0.1:3000 --clients 500 --senders 50 --in-flight 4
//	chat-load report before.json after.json -o compared.html
//	chat-load bench --quick
//
// See chat-load --help. It needs Linux: epoll drives its clients, and /proc tells of the servers.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := command(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(exitCode(err, os.Stderr))
}

// exitCode tells what went wrong: 1 for what could not be done, 3 for what was found.
func exitCode(err error, stderr io.Writer) int {
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return 0
	}
	fmt.Fprintln(stderr, "chat-load:", err)
	if errors.Is(err, errFaults) {
		return 3
	}
	return 1
}

// errFaults says that everything could be measured, but what was found is not good.
var errFaults = errors.New("not as it should be")

// command runs a subcommand; without one, a load.
func command(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) == 0 {
		fmt.Fprint(stdout, usage)
		return nil
	}
	switch args[0] {
	case "report":
		return runReport(args[1:], stdout)
	case "bench":
		return runBench(ctx, args[1:], stdout)
	case "floor":
		return runFloor(ctx, args[1:], stdout, stderr)
	case "run":
		return runLoad(ctx, args[1:], stdout)
	}
	return runLoad(ctx, args, stdout)
}

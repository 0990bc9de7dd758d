// Chat-server is the chat: a Socket.IO server with the page to it. It is configured by
// environment variables, which --help lists.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"socketio-chat/pkg/config"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	// The first signal begins the shutdown. From then on signals have their usual
	// effect: the second one ends the process at once.
	context.AfterFunc(ctx, stop)
	err := run(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr)
	if err != nil {
		fmt.Fprintln(os.Stderr, "chat-server:", err)
	}
	os.Exit(exitCode(err))
}

// run does what the arguments ask for and returns when it is done; ctx ends it early.
func run(ctx context.Context, args, environ []string, stdout, stderr io.Writer) error {
	command, err := parseArgs(args)
	if err != nil {
		return err
	}
	switch command {
	case cmdHelp:
		return usage(stdout)
	case cmdVersion:
		_, err := fmt.Fprintln(stdout, versionLine())
		return err
	}
	cfg, err := config.Load(environ, ".env")
	if err != nil {
		return err
	}
	if command == cmdHealthcheck {
		return healthcheck(ctx, cfg)
	}
	return serve(ctx, cfg, newLogger(cfg.Log, stderr))
}

// Chat-server is the chat: a Socket.IO server with the page to it. It is configured by
// environment variables, which --help lists.
package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"socketio-chat/pkg/config"
)

func main() {
	err := run(untilSignal(), os.Args[1:], os.Environ(), os.Stdout, os.Stderr)
	if err != nil {
		fmt.Fprintln(os.Stderr, "chat-server:", err)
	}
	os.Exit(exitCode(err))
}

// run does what the arguments ask for and returns when it is done; ctx ends it early.
func run(ctx context.Context, args, environ []string, stdout, stderr io.Writer) error {
	command, say, err := parseArgs(args)
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
	switch command {
	case cmdHealthcheck:
		return healthcheck(ctx, cfg)
	case cmdAnnounce:
		return announce(ctx, cfg.Redis, say, stdout)
	}
	return serve(ctx, cfg, newLogger(cfg.Log, stderr))
}

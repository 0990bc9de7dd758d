// Chat-server is the chat: a Socket.IO server with the page to it. It is configured by
// environment variables, which --help lists.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"socketio-chat/pkg/config"
)

func main() {
	err := run(untilSignal(os.Stderr), os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr)
	if err != nil && !errors.As(err, &errLogged{}) {
		fmt.Fprintln(os.Stderr, "chat-server:", err)
	}
	os.Exit(exitCode(err))
}

// run does what the arguments ask for and returns when it is done; ctx ends it early.
func run(ctx context.Context, args, environ []string, stdin io.Reader, stdout, stderr io.Writer) error {
	asked, err := parseArgs(args)
	if err != nil {
		return err
	}
	switch asked.command {
	case cmdHelp:
		return help(stdout, asked.topic)
	case cmdVersion:
		_, err := fmt.Fprintln(stdout, versionLine())
		return err
	case cmdSBOM:
		return writeSBOM(stdout)
	case cmdHashPassword:
		return hashPassword(ctx, stdin, stdout, stderr)
	}
	cfg, err := config.Load(environ, ".env")
	if err != nil && asked.command == cmdServe {
		return logFailure(cfg.Log, stderr, err)
	}
	if err != nil {
		return err
	}
	switch asked.command {
	case cmdHealthcheck:
		return healthcheck(ctx, cfg)
	case cmdAnnounce:
		return announce(ctx, cfg.Redis, asked.say, stdin, stdout)
	}
	return logFailure(cfg.Log, stderr, serve(ctx, cfg, newLogger(cfg.Log, stderr)))
}

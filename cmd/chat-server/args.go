package main

import (
	"errors"
	"flag"
	"fmt"
	"io"

	"socketio-chat/pkg/config"
)

// command is what the arguments ask for.
type command string

const (
	cmdServe       command = "serve" // without arguments
	cmdHelp        command = "help"
	cmdVersion     command = "version"
	cmdHealthcheck command = "healthcheck"
	cmdAnnounce    command = "announce"
)

// errUsage marks arguments that are not understood.
var errUsage = errors.New("try chat-server --help")

// parseArgs reads the arguments; what is to be announced comes with cmdAnnounce.
func parseArgs(args []string) (command, announcement, error) {
	var say announcement
	flags := flag.NewFlagSet("chat-server", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // main prints the error
	version := flags.Bool("version", false, "")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return cmdHelp, say, nil
	case err != nil:
		return "", say, fmt.Errorf("%w; %w", err, errUsage)
	case *version:
		return cmdVersion, say, nil
	case flags.NArg() == 0:
		return cmdServe, say, nil
	case flags.NArg() == 1 && flags.Arg(0) == string(cmdHealthcheck):
		return cmdHealthcheck, say, nil
	case flags.Arg(0) == string(cmdAnnounce):
		say, err := parseAnnouncement(flags.Args()[1:])
		if errors.Is(err, flag.ErrHelp) {
			return cmdHelp, say, nil
		}
		return cmdAnnounce, say, err
	}
	return "", say, fmt.Errorf("unknown arguments %q; %w", flags.Args(), errUsage)
}

// usage is the text of --help.
func usage(w io.Writer) error {
	const text = `Usage:
  chat-server              serve the chat until SIGTERM or SIGINT
  chat-server healthcheck  ask the server that these settings describe whether it is
                           alive: exit code 0 or 1
  chat-server announce --text TEXT [--name NAME]
                           say it to everybody in the chat, on all instances, through
                           the Redis of these settings; NAME is "admin" by default.
                           Exit code 0 or, when nobody heard it, 1
  chat-server --version
  chat-server --help

Settings are environment variables; a file .env in the working directory may hold
them too (the environment wins). Each line: name, default, meaning. Go's own GOGC (50
here unless it is set) and GOMEMLIMIT are obeyed as well.
`
	if _, err := io.WriteString(w, text); err != nil {
		return err
	}
	return config.Usage(w)
}

// exitCode is 2 for what a change of arguments or settings puts right, 1 for any other
// failure.
func exitCode(err error) int {
	var settings *config.Error
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errUsage), errors.As(err, &settings):
		return 2
	}
	return 1
}

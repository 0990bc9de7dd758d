package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"socketio-chat/pkg/config"
)

// command is what the arguments ask for.
type command string

const (
	cmdServe        command = "serve" // without arguments
	cmdHelp         command = "help"
	cmdVersion      command = "version"
	cmdHealthcheck  command = "healthcheck"
	cmdAnnounce     command = "announce"
	cmdHashPassword command = "hash-password"
	cmdSBOM         command = "sbom"
)

// errUsage marks arguments that are not understood.
var errUsage = errors.New("try chat-server --help")

// request is what the arguments say.
type request struct {
	command command
	topic   string       // of cmdHelp: the name of a command or of a variable; empty: all
	say     announcement // of cmdAnnounce
}

// parseArgs reads the arguments.
func parseArgs(args []string) (request, error) {
	flags := flag.NewFlagSet("chat-server", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // main prints the error
	version := flags.Bool("version", false, "")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return helpAbout(flags.Args())
	case err != nil:
		return request{}, fmt.Errorf("%w; %w", err, errUsage)
	case *version:
		return request{command: cmdVersion}, nil
	case flags.NArg() == 0:
		return request{command: cmdServe}, nil
	}
	name, rest := command(flags.Arg(0)), flags.Args()[1:]
	if name != cmdHelp && len(rest) > 0 && isHelp(rest[0]) {
		return helpAbout([]string{string(name)})
	}
	switch name {
	case cmdHelp:
		return helpAbout(rest)
	case cmdAnnounce:
		say, err := parseAnnouncement(rest)
		if errors.Is(err, flag.ErrHelp) {
			return helpAbout([]string{string(name)})
		}
		return request{command: cmdAnnounce, say: say}, err
	case cmdServe, cmdVersion, cmdHealthcheck, cmdHashPassword, cmdSBOM:
		if len(rest) == 0 {
			return request{command: name}, nil
		}
		return request{}, fmt.Errorf("%s takes no arguments, here are %q; %w", name, rest, errUsage)
	}
	return request{}, fmt.Errorf("there is no command %q; %w", name, errUsage)
}

func isHelp(arg string) bool { return arg == "-h" || arg == "-help" || arg == "--help" }

// helpAbout is a request for help about one thing, or about all.
func helpAbout(topics []string) (request, error) {
	if len(topics) > 1 {
		return request{}, fmt.Errorf("--help explains one command or variable at a time; %w", errUsage)
	}
	return request{command: cmdHelp, topic: strings.Join(topics, "")}, nil
}

// commands are the texts of --help, in its order.
var commands = [...]struct {
	name       command
	args, does string
}{
	{cmdServe, "", "Serve the chat until SIGTERM, SIGHUP or Ctrl-C. This is what chat-server without arguments does."},
	{cmdHealthcheck, "", "Ask the server that these settings describe whether it is alive. Exit code 0 or 1."},
	{cmdAnnounce, "--text TEXT [--name NAME]", `Send a message to everybody in the chat, on all instances, through the Redis of
these settings. NAME is "admin" by default; the TEXT - is read from standard input.
Exit code 1 if no instance received it.`},
	{cmdHashPassword, "", "Read a password from standard input and print its hash for ADMIN_PASSWORD_HASH."},
	{cmdSBOM, "", "Print the bill of materials of this binary: its Go modules, as CycloneDX JSON."},
	{cmdVersion, "", "Print the version, the commit and the Go release. Also --version."},
	{cmdHelp, "[NAME]", `Explain everything, or one command or variable, such as NODE_PORT; a part such as
REDIS explains all that match. Also --help.`},
}

// help writes the text of --help, about everything or about one command or variable.
func help(w io.Writer, topic string) error {
	if topic == "" {
		return usage(w)
	}
	for _, c := range commands {
		if string(c.name) == topic {
			_, err := fmt.Fprintf(w, "%s\n", commandText(c.name, c.args, c.does))
			return err
		}
	}
	if err := config.Explain(w, topic); err != nil {
		return fmt.Errorf("%w (%w)", err, errUsage)
	}
	return nil
}

// commandText is one command with what it does, indented.
func commandText(name command, args, does string) string {
	return strings.TrimRight("  chat-server "+string(name)+" "+args, " ") + "\n      " + strings.ReplaceAll(does, "\n", "\n      ")
}

// usage is the text of --help.
func usage(w io.Writer) error {
	var b strings.Builder
	b.WriteString("Usage:\n")
	for _, c := range commands {
		b.WriteString(commandText(c.name, c.args, c.does) + "\n")
	}
	b.WriteString(`
Settings are environment variables. A file .env in the working directory may hold them, too; the
environment takes precedence, and an empty value means the default. chat-server --help NAME says
what a variable accepts. GOGC and GOMEMLIMIT work as usual; unless GOGC is set, the server tunes it.
`)
	if _, err := io.WriteString(w, b.String()); err != nil {
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

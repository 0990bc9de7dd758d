package main

import (
	"cmp"
	"errors"
	"io"
	"log/slog"
	"os"
	"strconv"

	"socketio-chat/pkg/config"
	"socketio-chat/pkg/logs"
)

// newLogger logs to w as configured: bounded lines without secrets, and of a fault that repeats itself only some.
func newLogger(c config.Log, w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: c.Level}
	var lines slog.Handler
	switch logForm(c.Format, w) {
	case config.LogTerminal:
		lines = logs.NewTerminal(w, logs.TerminalOptions{Level: c.Level, Colour: colours(w)})
	case config.LogText:
		lines = slog.NewTextHandler(w, options)
	default:
		lines = slog.NewJSONHandler(w, options)
	}
	return slog.New(logs.Limit(logs.Safe(lines), logs.Options{}))
}

// logForm decides what LogAuto and no format at all mean.
func logForm(f config.LogFormat, w io.Writer) config.LogFormat {
	if f = cmp.Or(f, config.LogAuto); f != config.LogAuto {
		return f
	}
	if isTerminal(w) {
		return config.LogTerminal
	}
	return config.LogJSON
}

// colours tells whether w shows colours and nobody objects (https://no-color.org).
func colours(w io.Writer) bool {
	return isTerminal(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// isTerminal takes every character device for a terminal. Others that standard error is ever sent to, such as /dev/null,
// are harmless.
func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// errLogged marks a failure that the log has told already; main prints it no more.
type errLogged struct{ error }

func (e errLogged) Unwrap() error { return e.error }

// logFailure tells the failure of a server in the log where that is JSON, so that a collector of lines does not lose it.
// Elsewhere main prints it.
func logFailure(c config.Log, stderr io.Writer, err error) error {
	if err == nil || logForm(c.Format, stderr) != config.LogJSON {
		return err
	}
	log := newLogger(config.Log{Level: c.Level, Format: config.LogJSON}, stderr)
	var settings *config.Error
	if !errors.As(err, &settings) {
		log.Error("the server failed", "error", err)
		return errLogged{err}
	}
	for _, p := range settings.Problems {
		// Whatever their number: Limit would leave out the sixth.
		value, err := strconv.Unquote(p.Value)
		if err != nil {
			value = p.Value // hidden
		}
		log.Error("wrong setting: "+p.Name, "name", p.Name, "value", value, "problem", p.Message)
	}
	for _, hint := range settings.Hints {
		log.Warn(hint)
	}
	return errLogged{err}
}

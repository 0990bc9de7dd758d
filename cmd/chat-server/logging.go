package main

import (
	"io"
	"log/slog"
	"os"

	"socketio-chat/pkg/config"
	"socketio-chat/pkg/logs"
)

// newLogger logs to w as configured. Of a fault that repeats itself some lines are left
// out, and counted.
func newLogger(c config.Log, w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: c.Level}
	var lines slog.Handler = slog.NewJSONHandler(w, options)
	if c.Format == config.LogText || c.Format == config.LogAuto && isTerminal(w) {
		lines = slog.NewTextHandler(w, options)
	}
	return slog.New(logs.Limit(lines, logs.Options{}))
}

// isTerminal takes every character device for a terminal; the others of those that
// standard error is ever sent to, such as /dev/null, do not mind.
func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

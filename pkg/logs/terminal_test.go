package logs

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"
)

func TestTerminalLines(t *testing.T) {
	at := time.Date(2026, 11, 28, 19, 2, 11, 0, time.Local)
	for _, tt := range []struct {
		name   string
		colour bool
		with   func(slog.Handler) slog.Handler
		level  slog.Level
		msg    string
		attrs  []slog.Attr
		want   string
	}{
		{"the plainest", false, nil, slog.LevelInfo, "listening", []slog.Attr{slog.String("addr", "[::]:3000"), slog.Int("n", 3)},
			"19:02:11 INFO  listening addr=[::]:3000 n=3\n"},
		{"values with spaces", false, nil, slog.LevelWarn, "a client was refused", []slog.Attr{slog.Any("error", errors.New("too many")), slog.String("none", "")},
			"19:02:11 WARN  a client was refused error=\"too many\" none=\"\"\n"},
		{"groups", false, func(h slog.Handler) slog.Handler {
			return h.WithAttrs([]slog.Attr{slog.Int("a", 1)}).WithGroup("g").WithAttrs([]slog.Attr{slog.Int("b", 2)})
		}, slog.LevelError, "x", []slog.Attr{slog.Group("h", slog.Int("c", 3)), slog.Group("", slog.Int("d", 4)), {}},
			"19:02:11 ERROR x a=1 g.b=2 g.h.c=3 g.d=4\n"},
		{"what would command the terminal", false, nil, slog.LevelInfo, "a\x1b[2Jb\nc", []slog.Attr{slog.String("k\r", "v\x07"), slog.String("w", "a\nb")},
			"19:02:11 INFO  a\\x1b[2Jb\\nc k\\r=v\\a w=\"a\\nb\"\n"},
		{"coloured", true, nil, slog.LevelDebug, "m", []slog.Attr{slog.Bool("k", true)},
			dim + "19:02:11" + plain + " " + cyan + "DEBUG" + plain + " " + bold + "m" + plain + " " + dim + "k=" + plain + "true\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var b bytes.Buffer
			h := NewTerminal(&b, TerminalOptions{Level: slog.LevelDebug, Colour: tt.colour})
			if tt.with != nil {
				h = tt.with(h)
			}
			r := slog.NewRecord(at, tt.level, tt.msg, 0)
			r.AddAttrs(tt.attrs...)
			if err := h.Handle(context.Background(), r); err != nil || b.String() != tt.want {
				t.Errorf("got  %q\nwant %q", b.String(), tt.want)
			}
		})
	}
	if h := NewTerminal(&bytes.Buffer{}, TerminalOptions{}); h.Enabled(context.Background(), slog.LevelDebug) {
		t.Error("debug is not the default")
	}
}

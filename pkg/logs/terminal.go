package logs

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"unicode"
)

// The colours of a line, as a terminal understands them.
const (
	dim    = "\x1b[2m"
	bold   = "\x1b[1m"
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	cyan   = "\x1b[36m"
	plain  = "\x1b[0m"
)

// TerminalOptions say how lines for people look.
type TerminalOptions struct {
	Level  slog.Leveler // nil: info
	Colour bool
}

// NewTerminal returns a handler that writes lines for people:
//
//	19:02:11 INFO  listening  addr=[::]:3000 page=http://localhost:3000/
//
// Times are local. Control characters are escaped, so that nothing a client sends reaches the terminal.
func NewTerminal(w io.Writer, o TerminalOptions) slog.Handler {
	if o.Level == nil {
		o.Level = slog.LevelInfo
	}
	return &terminal{TerminalOptions: o, out: &sharedWriter{w: w}}
}

type terminal struct {
	TerminalOptions
	out    *sharedWriter
	before string // attributes that WithAttrs added, as they are written
	groups string // names of groups with a point after each
}

// sharedWriter writes whole lines, one at a time.
type sharedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (t *terminal) Enabled(_ context.Context, l slog.Level) bool { return l >= t.Level.Level() }

func (t *terminal) Handle(_ context.Context, r slog.Record) error {
	var b bytes.Buffer
	if !r.Time.IsZero() {
		t.coloured(&b, dim, r.Time.Local().Format("15:04:05"))
		b.WriteByte(' ')
	}
	level := r.Level.String()
	t.coloured(&b, levelColour(r.Level), level+strings.Repeat(" ", max(0, 5-len(level))))
	b.WriteByte(' ')
	t.coloured(&b, bold, printable(r.Message))
	b.WriteString(t.before)
	r.Attrs(func(a slog.Attr) bool {
		t.attr(&b, t.groups, a)
		return true
	})
	b.WriteByte('\n')
	t.out.mu.Lock()
	defer t.out.mu.Unlock()
	_, err := t.out.w.Write(b.Bytes())
	return err
}

func (t *terminal) WithAttrs(attrs []slog.Attr) slog.Handler {
	var b bytes.Buffer
	b.WriteString(t.before)
	for _, a := range attrs {
		t.attr(&b, t.groups, a)
	}
	with := *t
	with.before = b.String()
	return &with
}

func (t *terminal) WithGroup(name string) slog.Handler {
	with := *t
	if name != "" {
		with.groups += name + "."
	}
	return &with
}

// attr writes one attribute, and the members of a group each by itself.
func (t *terminal) attr(b *bytes.Buffer, prefix string, a slog.Attr) {
	value := a.Value.Resolve()
	if value.Kind() == slog.KindGroup {
		if a.Key != "" {
			prefix += a.Key + "."
		}
		for _, member := range value.Group() {
			t.attr(b, prefix, member)
		}
		return
	}
	if a.Equal(slog.Attr{}) {
		return
	}
	b.WriteByte(' ')
	t.coloured(b, dim, printable(prefix+a.Key)+"=")
	text := value.String()
	if text == "" || strings.ContainsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || r == '"' }) {
		b.WriteString(strconv.Quote(text))
		return
	}
	b.WriteString(printable(text))
}

// coloured writes a text in a colour, if there are any.
func (t *terminal) coloured(b *bytes.Buffer, colour, text string) {
	if !t.Colour {
		b.WriteString(text)
		return
	}
	b.WriteString(colour + text + plain)
}

func levelColour(l slog.Level) string {
	switch {
	case l >= slog.LevelError:
		return red
	case l >= slog.LevelWarn:
		return yellow
	case l >= slog.LevelInfo:
		return green
	}
	return cyan
}

// printable escapes what would move a terminal's cursor or change its colours.
func printable(text string) string {
	if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		quoted := strconv.Quote(text)
		return quoted[1 : len(quoted)-1]
	}
	return text
}

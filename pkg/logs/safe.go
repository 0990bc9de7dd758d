package logs

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"time"
	"unicode/utf8"
)

const (
	maxValue = 2 << 10  // bytes of one value; most of what is logged is 100 bytes
	maxStack = 16 << 10 // bytes of a stack, which is ours and not a client's
	maxLine  = 16 << 10 // bytes of all values of a record together
)

// Safe returns a handler that passes records on to next with what clients may have put into them made harmless: a value is
// cut at 2 KiB, all values of a record at 16 KiB, and what looks like a token or a password is replaced. Durations become
// texts with a unit, such as "5.001s", which slog's JSON would write as nanoseconds.
func Safe(next slog.Handler) slog.Handler { return safe{next} }

type safe struct{ next slog.Handler }

func (s safe) Enabled(ctx context.Context, l slog.Level) bool { return s.next.Enabled(ctx, l) }

func (s safe) Handle(ctx context.Context, r slog.Record) error {
	left := maxLine
	clean := slog.NewRecord(r.Time, r.Level, cleanText(r.Message, maxValue), r.PC)
	r.Attrs(func(a slog.Attr) bool {
		clean.AddAttrs(cleanAttr(a, &left))
		return true
	})
	return s.next.Handle(ctx, clean)
}

func (s safe) WithAttrs(attrs []slog.Attr) slog.Handler {
	left := maxLine
	clean := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		clean[i] = cleanAttr(a, &left)
	}
	return safe{s.next.WithAttrs(clean)}
}

func (s safe) WithGroup(name string) slog.Handler { return safe{s.next.WithGroup(name)} }

// cleanAttr takes what it keeps of a from left, the bytes that the record may still have.
func cleanAttr(a slog.Attr, left *int) slog.Attr {
	most := maxValue
	if a.Key == "stack" {
		most = maxStack
	}
	switch v := a.Value.Resolve(); v.Kind() {
	case slog.KindGroup:
		group := v.Group()
		clean := make([]slog.Attr, len(group))
		for i, member := range group {
			clean[i] = cleanAttr(member, left)
		}
		return slog.Attr{Key: a.Key, Value: slog.GroupValue(clean...)}
	case slog.KindDuration:
		return slog.String(a.Key, rounded(v.Duration()).String())
	case slog.KindString:
		return slog.String(a.Key, take(v.String(), most, left))
	case slog.KindAny:
		switch value := v.Any().(type) {
		case nil:
			return a
		case error:
			return slog.String(a.Key, take(value.Error(), most, left))
		case fmt.Stringer:
			return slog.String(a.Key, take(value.String(), most, left))
		default:
			return slog.String(a.Key, take(fmt.Sprintf("%+v", value), most, left))
		}
	default: // numbers, times and truth values
		return slog.Attr{Key: a.Key, Value: v}
	}
}

// take is as much of the text as may stand in the record.
func take(text string, most int, left *int) string {
	text = cleanText(text, min(most, *left))
	*left -= len(text)
	return text
}

// secrets are the forms in which clients send tokens and passwords. What is replaced is the last group.
var secrets = regexp.MustCompile(
	// A JSON Web Token or a part of it, wherever it stands.
	`eyJ[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]*)*` +
		// Authorization: Bearer …, Basic …
		`|(?i:\b(?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{12,}` +
		// token=…, token:…, "password": "…", also escaped within a JSON text. A sentence such as "token: expired" stays.
		`|(?i:\b[a-z_-]*(?:token|password|passwd|secret|authorization|api[_-]?key)(?:[=:]|\\*"\s*:\s*\\*"))[^\s"&;,}\\]+`)

const (
	hiddenText = "(hidden)"
	ellipsis   = "…"
)

// cleanText hides secrets, then cuts. It looks for secrets in little more than what is kept: a client's megabyte costs
// nothing.
func cleanText(text string, most int) string {
	const beyond = 256 // a secret that the cut divides is still seen as one
	whole := len(text)
	if whole > most+beyond {
		text = cut(text, most+beyond)
	}
	text = secrets.ReplaceAllStringFunc(text, hide)
	if len(text) <= most && whole <= most+beyond {
		return text
	}
	return fmt.Sprintf("%s%s (%d bytes)", cut(text, max(0, most-len(ellipsis)-20)), ellipsis, whole)
}

// valueStart is where the value of a match begins: after its name and separator.
var valueStart = regexp.MustCompile(`^(?i:(?:bearer|basic)\s+|[a-z_-]*(?:token|password|passwd|secret|authorization|api[_-]?key)(?:[=:]|\\*"\s*:\s*\\*"))`)

func hide(match string) string { return valueStart.FindString(match) + hiddenText }

// cut shortens a text without dividing a character.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}

// rounded leaves a duration the digits that a reader can use.
func rounded(d time.Duration) time.Duration {
	switch {
	case d.Abs() >= time.Second:
		return d.Round(time.Millisecond)
	case d.Abs() >= time.Millisecond:
		return d.Round(time.Microsecond)
	}
	return d
}

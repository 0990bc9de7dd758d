package simulation

import (
	"context"
	"log/slog"

	"socketio-chat/pkg/e2e/verdict"
)

// A refusalLog is the log of a server, of which the reasons are noted.
type refusalLog struct {
	slog.Handler
	refusals *verdict.Refusals
	server   int
}

func (l *refusalLog) Enabled(context.Context, slog.Level) bool { return true }

func (l *refusalLog) Handle(ctx context.Context, r slog.Record) error {
	why, remote := "", ""
	r.Attrs(func(a slog.Attr) bool {
		switch a.Key {
		case "reason":
			why = a.Value.String()
		case "remote":
			remote = a.Value.String()
		}
		return true
	})
	if r.Message == verdict.RefusalMessage {
		l.refusals.Note(l.server, remote, why)
	}
	if !l.Handler.Enabled(ctx, r.Level) {
		return nil
	}
	return l.Handler.Handle(ctx, r)
}

func (l *refusalLog) WithAttrs(list []slog.Attr) slog.Handler {
	return &refusalLog{l.Handler.WithAttrs(list), l.refusals, l.server}
}

func (l *refusalLog) WithGroup(name string) slog.Handler {
	return &refusalLog{l.Handler.WithGroup(name), l.refusals, l.server}
}

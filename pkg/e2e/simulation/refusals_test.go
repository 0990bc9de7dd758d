package simulation

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"
)

// refusals are the reasons of servers not to recover clients, by server and address of the client, as their logs say.
type refusals struct{ list sync.Map }

func (r *refusals) of(server int, client net.Addr) string {
	why, _ := r.list.Load(fmt.Sprint(server, " ", client))
	text, _ := why.(string)
	return text
}

// A refusalLog is the log of a server, of which the reasons are noted.
type refusalLog struct {
	slog.Handler
	refusals *refusals
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
	if r.Message == "a client was not recovered and begins a new session" {
		l.refusals.list.Store(fmt.Sprint(l.server, " ", remote), why)
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

// A strike is a fault that happened: to the Redis, or to the server with this number.
type strike struct {
	kind     string
	server   int
	from, to time.Time // to is zero while it lasts
}

// struck notes that something happens, until mended is called.
func (w *world) struck(kind string, server int) (mended func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := len(w.strikes)
	w.strikes = append(w.strikes, strike{kind: kind, server: server, from: time.Now()})
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.strikes[n].to = time.Now()
	}
}

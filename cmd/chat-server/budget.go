package main

import (
	"log/slog"
	"net/http"

	"socketio-chat/pkg/config"
	"socketio-chat/pkg/membudget"
	"socketio-chat/pkg/socketio"
)

// budgetMemory makes the budget of the process, nil without a limit, and puts it before new sessions. What
// it sheds does not exist yet: it is asked for when memory is short.
func (c *chatParts) budgetMemory(l config.Limits, options *socketio.Options, log *slog.Logger) *membudget.Budget {
	limit := l.Memory
	if limit == 0 {
		limit = membudget.Detect()
	}
	budget := membudget.New(membudget.Options{
		Limit: limit,
		Holders: []membudget.Holder{
			{
				Name: "connections",
				Shed: func(want int64) (int64, int) { return c.io.Engine().Shed(want) },
				Age:  func() { c.io.Engine().AgeHeld() },
			},
			{Name: "recovery", Shed: func(want int64) (int64, int) { return c.io.ShedRecovery(want) }},
			{Name: "redis", Shed: c.shedQueue},
		},
		Logger: log,
	})
	if budget == nil {
		return nil
	}
	options.Engine.Room = budget.Take
	allow := options.Engine.Allow
	options.Engine.Allow = func(r *http.Request) error {
		if err := budget.Admit(); err != nil {
			return err
		}
		return allow(r)
	}
	return budget
}

func (c *chatParts) shedQueue(want int64) (bytes int64, messages int) {
	if c.cluster == nil {
		return 0, 0
	}
	return c.cluster.builder.Shed(want)
}

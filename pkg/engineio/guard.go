package engineio

import (
	"fmt"
	"log/slog"
	"runtime/debug"
)

// One rule for a panic in the program's own callbacks (Options.OnConnect and the
// methods of Receiver), whatever transport they were called for: it is logged and
// ends that session; all others go on.

// A panicError is what a session ends with after a panic.
type panicError struct{ value any }

func (e panicError) Error() string { return fmt.Sprintf("panic in a callback: %v", e.value) }

// guard calls f and ends the session if f panics.
func (c *Conn) guard(f func()) {
	defer func() {
		if p := recover(); p != nil {
			c.server.opts.Logger.Error("a panic ends a connection", slog.String("sid", c.id), slog.Any("panic", p),
				slog.String("stack", string(debug.Stack())))
			c.shutdown(ForcedClose, panicError{p})
		}
	}()
	f()
}

// noReceiver is the Receiver of a session whose OnConnect has panicked.
type noReceiver struct{}

func (noReceiver) Receive([]byte, bool)      {}
func (noReceiver) Closed(CloseReason, error) {}

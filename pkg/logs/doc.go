// Package logs keeps a log readable while a fault repeats itself: a slog.Handler that passes on the
// first few records of a message and then says how many it has left out.
//
//	log := slog.New(logs.Limit(slog.NewJSONHandler(os.Stderr, nil), logs.Options{}))
//
//	12:00:00 WARN Redis refused to publish a message …        five of them
//	12:00:10 WARN log lines left out: the same was said above of="Redis refused …" count=8214 seconds=10
//
// What counts as the same is level and message, whatever the attributes: a fault that a thousand
// clients have is one fault. Debug records are never left out: who asks for them wants them all.
//
// # Concurrency and limits
//
// A handler, and those that WithAttrs and WithGroup make of it, may be used from any goroutine; they
// share what they remember. That is a counter and a timer for each message of the last Period,
// MaxMessages at most: messages beyond that are counted together. Timers end by themselves within
// Period; what was left out in the last Period of a process is not told.
package logs

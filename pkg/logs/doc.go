// Package logs keeps a log readable and harmless. It has three handlers for log/slog, which are put one into the other:
//
//	lines := logs.NewTerminal(os.Stderr, logs.TerminalOptions{Colour: true}) // or one of slog's
//	log := slog.New(logs.Limit(logs.Safe(lines), logs.Options{}))
//
// [NewTerminal] writes lines for people. [Safe] bounds what a client can write into a line, hides tokens and gives durations a
// unit. [Limit] passes on the first few records of a message while a fault repeats itself, and then says how many it has left
// out:
//
//	12:00:00 WARN Redis refused to publish a message …        five of them
//	12:00:10 WARN log lines left out: the same was said above of="Redis refused …" count=8214 seconds=10
//
// What counts as the same is level and message, whatever the attributes: a fault that a thousand
// clients have is one fault. Debug records are never left out: an operator who asks for them wants them all.
//
// # Concurrency and limits
//
// A handler of Limit, and those that WithAttrs and WithGroup make of it, may be used from any goroutine; they
// share what they remember. That is a counter and a timer for each message of the last Period,
// MaxMessages at most: messages beyond that are counted together. Timers end by themselves within
// Period; what was left out in the last Period of a process is not told.
package logs

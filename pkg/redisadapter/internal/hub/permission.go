package hub

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// A PermissionError tells what the Redis user may not use. Redis itself names a command, and of channels
// only that there is one.
type PermissionError struct {
	Missing string // "command XINFO", "channel socket.io-peers#/chat#"
	Err     error  // what Redis said
}

func (e *PermissionError) Error() string {
	return fmt.Sprintf("the Redis user may not use %s; allow it by ACL SETUSER: %v", e.Missing, e.Err)
}

func (e *PermissionError) Unwrap() error { return e.Err }

// deniedCommand finds the command in what Redis says.
var deniedCommand = regexp.MustCompile(`'([^']+)' command`)

// permission makes a PermissionError of Redis' NOPERM; what was used if that was no command. Other errors
// stay as they are.
func permission(err error, what string) error {
	var known *PermissionError
	if errors.As(err, &known) || !isDenied(err) {
		return err
	}
	if m := deniedCommand.FindStringSubmatch(cause(err)); m != nil {
		what = "command " + strings.ToUpper(strings.ReplaceAll(m[1], "|", " "))
	}
	return &PermissionError{Missing: what, Err: err}
}

// isDenied tells an answer of Redis that is about permissions.
func isDenied(err error) bool { return strings.HasPrefix(cause(err), "NOPERM") }

// A KeyTypeError tells of a key under our name that is no stream.
type KeyTypeError struct {
	Key string
	Err error // what Redis said
}

func (e *KeyTypeError) Error() string {
	return fmt.Sprintf("key %q in Redis is no stream, something else has written it; rename or delete it, or choose another key for this cluster: %v", e.Key, e.Err)
}

func (e *KeyTypeError) Unwrap() error { return e.Err }

// explain makes of what Redis refuses an error that says what to do; what was used if that was no command.
func (h *Hub) explain(err error, what string) error {
	if strings.HasPrefix(cause(err), "WRONGTYPE") {
		return &KeyTypeError{Key: h.transport.home(), Err: err}
	}
	return permission(err, what)
}

// probeTimeout bounds how long Redis' answer to one subscription is waited for.
const probeTimeout = 2 * time.Second

// probe subscribes to all that is wanted, one by one, over a connection of its own, to find out what the
// Redis user may not subscribe to: Redis refuses a list as a whole and does not say why. A channel that
// only our own instances have can be done without, and heartbeats can take another way. It returns an
// error if anything else is denied.
func (h *Hub) probe(ctx context.Context) error {
	l, err := h.dial(ctx)
	if err != nil {
		return err
	}
	defer l.Close()
	s := l.Subscribe(ctx)
	defer s.Close()
	want, ours := h.routes.everything()
	denied := map[string]bool{}
	try := func(name string, pattern bool) error {
		patterns, channels := []string(nil), []string{name}
		if pattern {
			patterns, channels = channels, nil
		}
		err := h.transport.subscribe(ctx, s, patterns, channels)
		if err == nil {
			_, err = s.ReceiveTimeout(ctx, probeTimeout)
		}
		if !isDenied(err) {
			return err
		}
		err = permission(err, "channel "+name)
		var p *PermissionError
		if command := errors.As(err, &p) && strings.HasPrefix(p.Missing, "command "); ours[name] && !command {
			denied[name] = true
			h.fault.warn("Other instances cannot be asked for sessions, rooms of clients cannot be told exactly", err)
			return nil
		}
		return err
	}
	for name := range want.patterns {
		if err := try(name, true); err != nil {
			return err
		}
	}
	for name := range want.channels {
		if err := try(name, false); err != nil {
			return err
		}
	}
	ours[h.beatChannel] = true
	if err := try(h.beatChannel, false); err != nil {
		return err
	}
	h.denied.Store(&denied)
	return nil
}

// deniedNames are the channels that the Redis user may not subscribe to, and that can be done without.
func (h *Hub) deniedNames() map[string]bool {
	if d := h.denied.Load(); d != nil {
		return *d
	}
	return nil
}

// beat is the channel of heartbeats: the hub's own, or, if the Redis user may not use that, the response
// channel of one of its namespaces, which nobody else listens to.
func (h *Hub) beat() string {
	if !h.deniedNames()[h.beatChannel] {
		return h.beatChannel
	}
	for _, r := range h.routes.all() {
		if r.Own != "" {
			return r.Own
		}
	}
	return h.beatChannel
}

// isBeat tells a heartbeat from an answer on the same channel: those are JSON or MessagePack, which begin
// with no digit.
func (h *Hub) isBeat(channel, payload string) bool {
	return len(payload) > 0 && payload[0] >= '0' && payload[0] <= '9' && channel == h.beat()
}

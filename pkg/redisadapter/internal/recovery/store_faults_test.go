package recovery

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/socketio"
)

var (
	errRedis       = errors.New("Redis is away")
	errType  error = redisError("WRONGTYPE Operation against a key holding the wrong kind of value")
)

// A redisError is an error that Redis answers.
type redisError string

func (e redisError) Error() string { return string(e) }
func (redisError) RedisError()     {}

// A scriptedRedis answers commands in the order of its script, and notes them.
type scriptedRedis struct {
	answers []any // an error, a string, or an int64
	asked   []string
}

func (s *scriptedRedis) answer(cmd redis.Cmder) error {
	s.asked = append(s.asked, strings.TrimSuffix(cmd.Name()+" "+cmd.Args()[1].(string), "#"))
	if len(s.answers) == 0 {
		return nil
	}
	a := s.answers[0]
	s.answers = s.answers[1:]
	switch a := a.(type) {
	case error:
		cmd.SetErr(a)
		return a
	case string:
		cmd.(*redis.StringCmd).SetVal(a)
	case int64:
		cmd.(*redis.IntCmd).SetVal(a)
	}
	return nil
}

func (s *scriptedRedis) DialHook(next redis.DialHook) redis.DialHook { return next }

func (s *scriptedRedis) ProcessHook(redis.ProcessHook) redis.ProcessHook {
	return func(_ context.Context, cmd redis.Cmder) error { return s.answer(cmd) }
}

func (s *scriptedRedis) ProcessPipelineHook(redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(_ context.Context, cmds []redis.Cmder) (err error) {
		for _, cmd := range cmds {
			err = errors.Join(err, s.answer(cmd))
		}
		return err
	}
}

func newScripted(t *testing.T, answers ...any) (*sessionStore, *scriptedRedis) {
	client, s := redis.NewClient(&redis.Options{}), &scriptedRedis{answers: answers}
	client.AddHook(s)
	t.Cleanup(func() { _ = client.Close() })
	return newSessionStore(client, "k", "/n"), s
}

// TestTakeFromRedis: whatever becomes of its commands, a session is taken once, or the reason is told that decides whether it is asked for again.
func TestTakeFromRedis(t *testing.T) {
	const session, log = `{"log":"L","session":{"sid":"s"}}`, `{"floor":1}`
	for _, row := range []struct {
		name    string
		over    bool // the time
		answers []any
		why     socketio.Refusal
		asked   int // commands
	}{
		{"it is there", false, []any{session, log, int64(1)}, socketio.NotRefused, 3},
		{"nobody has left it", false, []any{redis.Nil}, socketio.RefusedUnknown, 1},
		{"Redis does not answer", false, []any{errRedis}, socketio.RefusedTimeout, 1},
		{"somebody else's key", false, []any{errType}, socketio.RefusedUnknown, 1},
		{"it cannot be read", false, []any{"{"}, socketio.RefusedCut, 1},
		{"its log has expired", false, []any{session, redis.Nil}, socketio.RefusedExpired, 2},
		{"its log is somebody else's key", false, []any{session, errType}, socketio.RefusedExpired, 2},
		{"its log does not come", false, []any{session, errRedis}, socketio.RefusedTimeout, 2},
		{"its log cannot be read", false, []any{session, "{"}, socketio.RefusedTimeout, 2},
		{"somebody else has taken it", false, []any{session, log, int64(0)}, socketio.RefusedUnknown, 3},
		{"removing it is tried again", false, []any{session, log, errRedis, int64(1)}, socketio.NotRefused, 4},
		{"the first try has removed it", false, []any{session, log, errRedis, int64(0)}, socketio.NotRefused, 4},
		{"removing it fails until the time is over", true, []any{session, log, errRedis}, socketio.NotRefused, 3},
	} {
		t.Run(row.name, func(t *testing.T) {
			s, r := newScripted(t, row.answers...)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if row.over {
				cancel()
				ctx = lateContext{ctx}
			}
			got, l, why := s.take(ctx, "pid")
			if why != row.why || (string(got) == `{"sid":"s"}`) != (why == socketio.NotRefused) || (l != nil) != (why == socketio.NotRefused) {
				t.Errorf("refused: %s, want %s; %s, %v", why, row.why, got, l)
			}
			if len(r.asked) != row.asked || r.asked[0] != "get k-session#/n#pid" {
				t.Errorf("asked %q, want %d commands", r.asked, row.asked)
			}
			if last := r.asked[len(r.asked)-1]; row.asked > 2 && last != "del k-session#/n#pid" {
				t.Errorf("at last %q", last)
			}
			if s.timer != nil {
				s.timer.Stop()
			}
		})
	}
}

// lateContext is over, but nobody waits for that.
type lateContext struct{ context.Context }

func (lateContext) Done() <-chan struct{} { return nil }

// TestStoreAndDiscardInRedis: the log is stored before the sessions that need it, and without it none is; what fails is told.
func TestStoreAndDiscardInRedis(t *testing.T) {
	dump := &socketio.SessionDump{
		Log: &socketio.StoredLog{}, TTL: time.Minute,
		Sessions: []socketio.StoredSession{{Pid: "a", Session: json.RawMessage(`{}`)}, {Pid: "b", Session: json.RawMessage(`{}`)}},
	}
	put := func(s *sessionStore) error { return s.put(context.Background(), "L", dump) }
	discard := func(s *sessionStore) error {
		return s.discard(context.Background(), []socket.PrivateSessionId{"a", "b"})
	}
	for _, row := range []struct {
		name    string
		do      func(*sessionStore) error
		answers []any
		asked   string
		fault   string
	}{
		{"store", put, nil, "set k-session-log#/n#L, set k-session#/n#a, set k-session#/n#b", ""},
		{"store, no log", put, []any{errRedis}, "set k-session-log#/n#L", "store what clients may have missed: Redis is away"},
		{"store, a session fails", put, []any{nil, nil, errRedis}, "set k-session-log#/n#L, set k-session#/n#a, set k-session#/n#b", "store sessions: Redis is away"},
		{"discard", discard, nil, "del k-session#/n#a, del k-session#/n#b", ""},
		{"discard, fails", discard, []any{errRedis}, "del k-session#/n#a, del k-session#/n#b", "discard stored sessions: Redis is away"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s, r := newScripted(t, row.answers...)
			err := row.do(s)
			if got := strings.Join(r.asked, ", "); got != row.asked {
				t.Errorf("asked %s, want %s", got, row.asked)
			}
			if (err == nil) != (row.fault == "") || err != nil && (err.Error() != row.fault || !errors.Is(err, errRedis)) {
				t.Errorf("%v, want %q", err, row.fault)
			}
		})
	}
}

package recovery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
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
	case []string:
		cmd.(*redis.StringSliceCmd).SetVal(a)
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

// TestReadFromRedis: whatever becomes of its commands, a session is read, or the reason is told that decides whether it is asked for again.
func TestReadFromRedis(t *testing.T) {
	const session, log = `{"log":"L","session":{"sid":"s"}}`, `{"floor":1}`
	for _, row := range []struct {
		name    string
		answers []any
		why     socketio.Refusal
		asked   int // commands
	}{
		{"it is there", []any{session, log}, socketio.NotRefused, 2},
		{"nobody has left it", []any{redis.Nil}, socketio.RefusedUnknown, 1},
		{"Redis does not answer", []any{errRedis}, socketio.RefusedTimeout, 1},
		{"somebody else's key", []any{errType}, socketio.RefusedUnknown, 1},
		{"it cannot be read", []any{"{"}, socketio.RefusedCut, 1},
		{"its log has expired", []any{session, redis.Nil}, socketio.RefusedExpired, 2},
		{"its log is somebody else's key", []any{session, errType}, socketio.RefusedExpired, 2},
		{"its log does not come", []any{session, errRedis}, socketio.RefusedTimeout, 2},
		{"its log cannot be read", []any{session, "{"}, socketio.RefusedTimeout, 2},
	} {
		t.Run(row.name, func(t *testing.T) {
			s, r := newScripted(t, row.answers...)
			got, l, why := s.read(t.Context(), "pid")
			if why != row.why || (string(got) == `{"sid":"s"}`) != (why == socketio.NotRefused) || (l != nil) != (why == socketio.NotRefused) {
				t.Errorf("refused: %s, want %s; %s, %v", why, row.why, got, l)
			}
			if len(r.asked) != row.asked || r.asked[0] != "get k-session#/n#pid" {
				t.Errorf("asked %q, want %d commands", r.asked, row.asked)
			}
			if s.timer != nil {
				s.timer.Stop()
			}
		})
	}
}

// TestRemoveFromRedis: of all that read a session, one has removed it, whatever becomes of the commands.
func TestRemoveFromRedis(t *testing.T) {
	for _, row := range []struct {
		name    string
		over    bool // the time
		answers []any
		ours    bool
	}{
		{"it is there", false, []any{int64(1)}, true},
		{"somebody else has taken it", false, []any{int64(0)}, false},
		{"removing it is tried again", false, []any{errRedis, int64(1)}, true},
		{"the first try has removed it", false, []any{errRedis, int64(0)}, true},
		{"removing it fails until the time is over", true, []any{errRedis}, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			s, r := newScripted(t, row.answers...)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if row.over {
				cancel()
				ctx = lateContext{ctx}
			}
			if ours := s.remove(ctx, "pid"); ours != row.ours || len(r.asked) != len(row.answers) || r.asked[0] != "del k-session#/n#pid" {
				t.Errorf("ours: %v, asked %q", ours, r.asked)
			}
		})
	}
}

// TestLastWords: how far each instance had published that has ended is left to all, and what is no such word is passed over.
func TestLastWords(t *testing.T) {
	recent := fmt.Sprintf("qrstuvwx 9 %d", time.Now().Add(-30*time.Second).UnixMilli())
	s, r := newScripted(t, []string{"mnopqrst 3 500", recent}, nil, nil, nil, []string{"abcdefgh 7 1000", "ijklmnop 0 2000", "nonsense", "x y z"})
	if err := s.leave(t.Context(), "abcdefgh", 7, time.Minute); err != nil ||
		strings.Join(r.asked, ", ") != "smembers k-session-last#/n, srem k-session-last#/n, sadd k-session-last#/n, expire k-session-last#/n" {
		t.Errorf("%v, asked %q", err, r.asked)
	}
	list, err := s.last(t.Context())
	if err != nil || len(list) != 2 || list[0] != (lastWord{"abcdefgh", 7, time.UnixMilli(1000)}) || list[1].origin != "ijklmnop" {
		t.Errorf("%v, %v", list, err)
	}
	s, _ = newScripted(t, []string{}, errRedis, nil, errRedis)
	if err := s.leave(t.Context(), "abcdefgh", 7, time.Minute); !errors.Is(err, errRedis) {
		t.Errorf("%v", err)
	}
	if _, err := s.last(t.Context()); !errors.Is(err, errRedis) {
		t.Errorf("%v", err)
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

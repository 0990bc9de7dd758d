package history

import (
	"context"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"socketio-chat/pkg/testenv"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testRedis is a Redis server that keeps nothing over a restart.
type testRedis struct {
	t    testing.TB
	path string
	cmd  *exec.Cmd
}

func startRedis(t testing.TB) *testRedis {
	t.Helper()
	testenv.Programs(t, "redis-server")
	r := &testRedis{t: t, path: filepath.Join(t.TempDir(), "s")}
	r.start()
	t.Cleanup(r.kill)
	return r
}

func (r *testRedis) start() {
	r.t.Helper()
	r.cmd = exec.Command("redis-server", "--port", "0", "--unixsocket", r.path, "--appendonly", "yes", "--appendfsync", "always", "--save", "",
		"--dir", filepath.Dir(r.path))
	if err := r.cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	c := r.client()
	eventually(r.t, "Redis answers", func() bool { return c.Ping(context.Background()).Err() == nil })
}

func (r *testRedis) kill() {
	_ = r.cmd.Process.Kill()
	_ = r.cmd.Wait()
}

func (r *testRedis) client() *redis.Client {
	c := redis.NewClient(&redis.Options{Network: "unix", Addr: r.path, DialerRetries: 1, MaxRetries: -1, ContextTimeoutEnabled: true})
	r.t.Cleanup(func() { c.Close() })
	return c
}

// store is one instance's.
func (r *testRedis) store(limits Limits) *Redis { return r.storeWith(RedisOptions{Limits: limits}) }

func (r *testRedis) storeWith(o RedisOptions) *Redis {
	o.Client = r.client()
	s := NewRedis(o)
	r.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = s.Close(ctx) // of a Redis that is away
	})
	return s
}

// crash ends an instance without a word to the others.
func (s *Redis) crash() {
	s.cancel()
	s.queue.close()
	s.wg.Wait()
}

func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("still not so: %s", what)
		}
	}
}

var small = Limits{Count: 5, Bytes: 1 << 20, Age: time.Hour}

// say appends messages and waits until they are kept.
func say(t *testing.T, s Store, room string, list ...string) (ids []ID) {
	t.Helper()
	for _, m := range list {
		told := make(chan Receipt, 1)
		s.Append(Message{Room: room, From: "Ann", Payload: text(m)}, func(r Receipt) { told <- r })
		r := <-told
		if !r.Kept {
			t.Fatalf("%s was not kept", m)
		}
		ids = append(ids, r.ID)
	}
	return ids
}

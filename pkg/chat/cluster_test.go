package chat_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	rtypes "github.com/zishang520/socket.io-go-redis/types"

	"socketio-chat/pkg/chat"
	"socketio-chat/pkg/chat/history"
	"socketio-chat/pkg/redisadapter"
	"socketio-chat/pkg/socketio"
	"socketio-chat/pkg/socketio/sockettest"
	"socketio-chat/pkg/testenv"
)

func init() { logging.Disable() } // go-redis reports the broken connections that these tests are about

// testRedis is a Redis server that keeps nothing over a restart.
type testRedis struct {
	t   *testing.T
	dir string
	cmd *exec.Cmd
}

func startRedis(t *testing.T) *testRedis {
	t.Helper()
	testenv.Programs(t, "redis-server")
	dir, err := os.MkdirTemp("", "chat") // t.TempDir makes paths too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	r := &testRedis{t: t, dir: dir}
	r.start()
	t.Cleanup(func() { r.kill(); os.RemoveAll(dir) })
	return r
}

func (r *testRedis) start() {
	r.t.Helper()
	r.cmd = exec.Command("redis-server", "--port", "0", "--unixsocket", filepath.Join(r.dir, "s"), "--save", "", "--dir", r.dir)
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
	c := redis.NewClient(&redis.Options{Network: "unix", Addr: filepath.Join(r.dir, "s"), DialTimeout: time.Second, DialerRetries: 1, ContextTimeoutEnabled: true})
	r.t.Cleanup(func() { c.Close() })
	return c
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("still not so: %s", what)
		}
	}
}

// An instance is a chat of a cluster.
type instance struct {
	*socketio.Server
	gateway *chat.Gateway
	adapter *redisadapter.Builder
}

// newInstance starts one. shares, if not nil, stands between it and the store.
func (r *testRedis) newInstance(mode redisadapter.Mode, options chat.Options, shares func(*history.Redis) history.Store) *instance {
	t := r.t
	t.Helper()
	adapter := &redisadapter.Builder{Redis: rtypes.NewRedisClient(context.Background(), r.client()), Mode: mode, Heartbeat: 50 * time.Millisecond}
	i := &instance{Server: socketio.NewServer(socketio.Options{Adapter: adapter}), adapter: adapter}
	limits := history.Limits{Count: 100, Bytes: 1 << 20, Age: 24 * time.Hour}
	store := history.NewRedis(history.RedisOptions{Client: r.client(), Limits: limits})
	options.History = chat.History{Store: store, Limits: limits}
	if shares != nil {
		options.History.Store = shares(store)
	}
	options.Joined = func() bool { return adapter.Status().Joined }
	i.gateway = chat.New(i.Server, options)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		i.gateway.Farewell()
		if err := i.Server.Close(ctx); err != nil {
			t.Error(err)
		}
		if err := i.gateway.Close(ctx); err != nil {
			t.Error(err)
		}
		if err := adapter.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return i
}

// clustered waits until all instances are joined and know of each other.
func clustered(t *testing.T, all ...*instance) {
	t.Helper()
	for _, i := range all {
		eventually(t, "all instances see each other", func() bool { s := i.adapter.Status(); return s.Joined && s.Servers >= len(all) })
	}
}

// connect brings somebody whose token names them.
func (i *instance) connect(t *testing.T, name string) *sockettest.Client {
	t.Helper()
	c := sockettest.Connect(t, i.Server, chat.Namespace, sockettest.Query("token", name))
	c.Call(chat.EventFeatures, room{}) // answered after OnConnect, which CONNECT does not wait for
	return c
}

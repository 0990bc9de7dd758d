package redisadapter

import (
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	rtypes "github.com/zishang520/socket.io-go-redis/types"

	"socketio-chat/pkg/testenv"
)

// patience is how long a test waits for what must come. It decides only how soon a failure shows.
const testPatience = 20 * time.Second

func init() { logging.Disable() } // go-redis reports the broken connections these tests are about

// testRedis is a redis-server of the test's own, on a socket in a directory of its own: no port can
// be taken.
type testRedis struct {
	tb   testing.TB
	path string
	cmd  *exec.Cmd
	args []string // beyond the usual
}

// newRedis prepares a server; start starts it.
func newRedis(tb testing.TB) *testRedis {
	tb.Helper()
	testenv.Programs(tb, "redis-server")
	dir, err := os.MkdirTemp("", "redis") // tb.TempDir makes paths too long for a socket
	if err != nil {
		tb.Fatal(err)
	}
	r := &testRedis{tb: tb, path: filepath.Join(dir, "s")}
	tb.Cleanup(func() {
		r.kill()
		os.RemoveAll(dir)
	})
	return r
}

func startRedis(tb testing.TB) *testRedis {
	tb.Helper()
	r := newRedis(tb)
	r.start()
	return r
}

// start returns when the server answers.
func (r *testRedis) start() {
	r.tb.Helper()
	os.Remove(r.path)
	args := []string{"--port", "0", "--unixsocket", r.path, "--save", "", "--appendonly", "no"}
	r.cmd = exec.Command("redis-server", append(args, r.args...)...)
	r.cmd.Dir = filepath.Dir(r.path)
	if err := r.cmd.Start(); err != nil {
		r.tb.Fatal(err)
	}
	c := r.client()
	defer c.Close()
	eventually(r.tb, "redis-server answers", func() bool { return c.Ping(context.Background()).Err() == nil })
}

// kill ends the server at once, if it runs.
func (r *testRedis) kill() {
	if r.cmd == nil {
		return
	}
	_ = r.cmd.Process.Signal(resumeSignal)
	_ = r.cmd.Process.Kill()
	_ = r.cmd.Wait()
	r.cmd = nil
}

func (r *testRedis) signal(s syscall.Signal) {
	r.tb.Helper()
	if err := r.cmd.Process.Signal(s); err != nil {
		r.tb.Fatal(err)
	}
}

// client returns a client with short timeouts.
func (r *testRedis) client() *redis.Client {
	return redis.NewClient(&redis.Options{
		Network: "unix", Addr: r.path, DialTimeout: time.Second, ReadTimeout: time.Second, WriteTimeout: time.Second, DialerRetries: 1,
	})
}

// do runs a command.
func (r *testRedis) do(args ...any) any {
	r.tb.Helper()
	c := r.client()
	defer c.Close()
	v, err := c.Do(context.Background(), args...).Result()
	if err != nil {
		r.tb.Fatalf("%v: %v", args, err)
	}
	return v
}

// subscribers counts who listens to a channel.
func (r *testRedis) subscribers(channel string) int {
	r.tb.Helper()
	c := r.client()
	defer c.Close()
	v, err := c.PubSubNumSub(context.Background(), channel).Result()
	if err != nil {
		r.tb.Fatal(err)
	}
	return int(v[channel])
}

func (r *testRedis) types(tb testing.TB) *rtypes.RedisClient {
	c := r.client()
	tb.Cleanup(func() { c.Close() })
	return rtypes.NewRedisClient(context.Background(), c)
}

// eventually waits for a condition that nothing announces.
func eventually(tb testing.TB, what string, ok func() bool) {
	tb.Helper()
	deadline := time.NewTimer(testPatience)
	defer deadline.Stop()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline.C:
			tb.Fatalf("never: %s", what)
		}
	}
}

// testProxy stands between a client and Redis, and can lose what Redis answers.
type testProxy struct {
	target string
	ln     net.Listener

	mu      sync.Mutex
	lost    losing
	refuses bool
	conns   []net.Conn
	done    sync.WaitGroup
}

// losing is what a proxy throws away.
type losing int

const (
	nothing     losing = iota
	answers            // everything Redis says
	subscribers        // what it says to subscribers
)

// proxy listens beside r.
func (r *testRedis) proxy() *testProxy {
	r.tb.Helper()
	ln, err := net.Listen("unix", r.path+"p")
	if err != nil {
		r.tb.Fatal(err)
	}
	p := &testProxy{target: r.path, ln: ln}
	p.done.Go(p.accept)
	r.tb.Cleanup(func() {
		ln.Close()
		p.cut()
		p.done.Wait()
	})
	return p
}

// through makes an instance connect by way of the proxy.
func (p *testProxy) through(tb testing.TB) func(*Builder) {
	return func(b *Builder) { b.Redis = (&testRedis{tb: tb, path: p.target + "p"}).types(tb) }
}

func (p *testProxy) accept() {
	for {
		in, err := p.ln.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		refuses := p.refuses
		p.mu.Unlock()
		out, err := net.Dial("unix", p.target)
		if err != nil || refuses {
			if out != nil {
				out.Close()
			}
			in.Close()
			continue
		}
		p.mu.Lock()
		p.conns = append(p.conns, in, out)
		p.mu.Unlock()
		var subscribed atomic.Bool
		p.done.Go(func() {
			copyBytes(out, in, func(b []byte) bool {
				if bytes.Contains(b, []byte("subscribe")) {
					subscribed.Store(true)
				}
				return true
			})
		})
		p.done.Go(func() {
			copyBytes(in, out, func([]byte) bool {
				p.mu.Lock()
				defer p.mu.Unlock()
				return p.lost == nothing || p.lost == subscribers && !subscribed.Load()
			})
		})
	}
}

// copyBytes passes on what pass lets through, until one side closes.
func copyBytes(to, from net.Conn, pass func([]byte) bool) {
	defer to.Close()
	defer from.Close()
	buf := make([]byte, 4096)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		if pass(buf[:n]) {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
	}
}

// lose throws something away from now on.
func (p *testProxy) lose(what losing) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lost = what
}

// refuse takes no connections from now on, or takes them again.
func (p *testProxy) refuse(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuses = on
}

// cut closes all connections.
func (p *testProxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		c.Close()
	}
	p.conns = nil
}

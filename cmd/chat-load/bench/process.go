//go:build linux

package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	// readyWithin is how long a server may take until it accepts connections.
	readyWithin = 20 * time.Second
	// stopWithin is how long it may take to end when asked to; then it is killed.
	stopWithin = 5 * time.Second
	// keptOutput is how much of what a server says is kept for an error message.
	keptOutput = 2 << 10
)

// process is a server under test.
type process struct {
	cmd    *exec.Cmd
	port   int
	said   *tail
	exited chan struct{} // closed when it has ended
}

func (p *process) pid() int    { return p.cmd.Process.Pid }
func (p *process) url() string { return "http://" + p.address() }
func (p *process) address() string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(p.port))
}

// startProcess runs argv and waits until it accepts connections on the port given to makeArgv. env is added to the
// environment.
func startProcess(ctx context.Context, dir string, env []string, argv func(port int) []string) (*process, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	args := argv(port)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = dir
	cmd.Env = append(cleanEnv(), env...)
	cmd.Env = append(cmd.Env, "HOST=127.0.0.1", "NODE_PORT="+strconv.Itoa(port), "METRICS_ADDR=127.0.0.1:0")
	p := &process{cmd: cmd, port: port, said: &tail{}, exited: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = p.said, p.said
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", args[0], err)
	}
	go func() {
		_ = cmd.Wait() // the exit code of a server that was stopped means nothing
		close(p.exited)
	}()
	if err := p.awaitReady(ctx); err != nil {
		p.stop()
		return nil, fmt.Errorf("%s: %w; it said: %s", args[0], err, p.said)
	}
	return p, nil
}

// cleanEnv is the environment without what would configure a server.
func cleanEnv() []string {
	return slices.DeleteFunc(os.Environ(), func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		return strings.HasPrefix(name, "REDIS_") || strings.HasPrefix(name, "CHAT_") || name == "GOMAXPROCS" || name == "NODE_OPTIONS"
	})
}

// Ports for the servers lie below those that Linux gives to outgoing connections and to listeners without a wish, so
// that none of the load's thousands of connections takes one between our look and the server's start.
const firstPort, lastPort = 15_000, 32_000

// freePort finds a port that nobody listens on.
func freePort() (int, error) {
	var err error
	for range 100 {
		port := firstPort + rand.IntN(lastPort-firstPort)
		var ln net.Listener
		if ln, err = net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err == nil {
			return port, ln.Close()
		}
	}
	return 0, fmt.Errorf("find a free port: %w", err)
}

func (p *process) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	retry := time.NewTicker(20 * time.Millisecond)
	defer retry.Stop()
	for {
		nc, err := (&net.Dialer{}).DialContext(ctx, "tcp", p.address())
		if err == nil {
			return nc.Close()
		}
		select {
		case <-p.exited:
			return errors.New("the server ended at once")
		case <-ctx.Done():
			return errors.New("the server does not accept connections")
		case <-retry.C:
		}
	}
}

// stop ends the process and waits for it.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
	patience := time.NewTimer(stopWithin)
	defer patience.Stop()
	select {
	case <-p.exited:
	case <-patience.C:
		_ = p.cmd.Process.Kill()
		<-p.exited
	}
}

// tail keeps the last bytes written to it. Safe for concurrent use.
type tail struct {
	mu sync.Mutex
	b  []byte
}

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, b...)
	if n := len(t.b); n > keptOutput {
		t.b = append(t.b[:0], t.b[n-keptOutput:]...)
	}
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(bytes.TrimSpace(t.b))
}

//go:build unix

package differential

import (
	"bufio"
	"context"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"socketio-chat/pkg/testenv"
)

// The servers that programs talk to, by what they are called.
const (
	ours  = "ours"
	node2 = "socket.io 2.4.1"
	node4 = "socket.io 4.8.4"
)

// startServers runs all of them for as long as the test lasts, and gives their addresses.
func startServers(t *testing.T) map[string]string {
	t.Helper()
	testenv.Programs(t, "node")
	node, err := filepath.Abs("../node")
	if err != nil {
		t.Fatal(err)
	}
	testenv.NPM(t, node)
	return map[string]string{
		ours:  startServer(t, t.TempDir(), testenv.Server(t)),
		node2: startServer(t, node, "node", "reference/s2.mjs"),
		node4: startServer(t, node, "node", "reference/s4.mjs"),
	}
}

func startServer(t *testing.T, dir string, argv ...string) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := ln.Addr().String()
	_, port, _ := net.SplitHostPort(address)
	ln.Close()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir = dir
	// The same heartbeat everywhere, longer than any program takes.
	cmd.Env = append(os.Environ(), "HOST=127.0.0.1", "NODE_PORT="+port, "METRICS_ADDR=127.0.0.1:0", "REDIS_HOST=", "REDIS_PORT=",
		"PING_INTERVAL_MS=60000", "PING_TIMEOUT_MS=60000", "LOG_LEVEL=warn")
	out, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := make(chan string, 40) // the last ones are for a failure's report
	go keepLast(lines, out)
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGKILL)
		_ = cmd.Wait()
		if t.Failed() {
			for line := range lines {
				t.Logf("%s: %s", argv[len(argv)-1], line)
			}
		}
	})
	awaitListening(t, address)
	return address
}

// keepLast closes lines when out ends.
func keepLast(lines chan string, out io.Reader) {
	defer close(lines)
	for s := bufio.NewScanner(out); s.Scan(); {
		if text := s.Text(); strings.HasSuffix(text, "is connected!") || strings.Contains(text, "listening") || strings.HasPrefix(text, "    at ") {
			continue
		}
		if len(lines) == cap(lines) {
			<-lines
		}
		lines <- s.Text()
	}
}

func awaitListening(t *testing.T, address string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	retry := time.NewTicker(20 * time.Millisecond)
	defer retry.Stop()
	for {
		nc, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err == nil {
			nc.Close()
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("nobody listens on %s", address)
		case <-retry.C:
		}
	}
}

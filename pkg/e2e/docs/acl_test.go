//go:build linux

package docs

import (
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"socketio-chat/pkg/testenv"
)

var aclLine = regexp.MustCompile(`(?m)^ *# (pubsub|sharded|streams).*\n *(ACL SETUSER chat .*)$`)

// TestRedisUserOfTheDocumentation runs two instances in each mode with the Redis user that the page tells operators to make. They have to become
// ready, find each other, and end in order, without one refusal of Redis.
func TestRedisUserOfTheDocumentation(t *testing.T) {
	lines := aclLine.FindAllStringSubmatch(read(t, filepath.Join(root, "deploy/docs/redis.md")), -1)
	if len(lines) != 3 {
		t.Fatalf("the page has %d ACL lines, want one for each mode", len(lines))
	}
	testenv.Programs(t, "redis-server", "redis-cli")
	server := testenv.Server(t)
	for _, line := range lines {
		mode := line[1]
		t.Run(mode, func(t *testing.T) {
			port := startRedis(t)
			// The words go as they are: no shell looks at > and &.
			rule := strings.Fields(strings.TrimPrefix(line[2], "ACL "))
			redisCLI(t, port, append([]string{"ACL"}, rule...)...)
			env := []string{"REDIS_URL=redis://chat:PASSWORD@127.0.0.1:" + port, "REDIS_ADAPTER=" + mode, "RECOVERY_SECONDS=60", "DRAIN_SECONDS=1"}
			first, firstPort := listenWith(t, exec.CommandContext(t.Context(), server), env)
			_, secondPort := listenWith(t, exec.CommandContext(t.Context(), server), env)
			awaitReady(t, firstPort)
			awaitReady(t, secondPort)
			if err := first.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			if err := first.Wait(); err != nil {
				t.Errorf("the first instance ended with %v", err)
			}
			if refused := redisCLI(t, port, "ACL", "LOG"); strings.TrimSpace(refused) != "" {
				t.Errorf("Redis refused:\n%s", refused)
			}
		})
	}
}

// startRedis starts a Redis server that keeps nothing and returns its port.
func startRedis(t *testing.T) string {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(free.Addr().String())
	_ = free.Close()
	cmd := exec.CommandContext(t.Context(), "redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", t.TempDir())
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	await(t, "Redis answers", func() bool {
		return exec.CommandContext(t.Context(), "redis-cli", "-p", port, "PING").Run() == nil
	})
	return port
}

func redisCLI(t *testing.T, port string, args ...string) string {
	t.Helper()
	out := run(t, ".", "redis-cli", append([]string{"-p", port}, args...)...)
	if strings.HasPrefix(out, "ERR") {
		t.Fatalf("redis-cli %s: %s", strings.Join(args, " "), out)
	}
	return out
}

func awaitReady(t *testing.T, port string) {
	t.Helper()
	await(t, "instance at "+port+" is ready", func() bool {
		res, err := http.Get(fmt.Sprintf("http://127.0.0.1:%s/readyz", port))
		if err != nil {
			return false
		}
		defer res.Body.Close()
		return res.StatusCode == http.StatusOK
	})
}

// await waits for a condition of another process, which nothing announces.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("still not so after %v: %s", patience, what)
		}
	}
}

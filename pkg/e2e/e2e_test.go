//go:build unix

package e2e

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"socketio-chat/pkg/testenv"
)

// parallelism is how many test files run at the same time: they wait more than they work, yet share few cores.
const parallelism = 3

// TestEndToEnd runs each file of node/test as a subtest on a chat-server built from this tree.
func TestEndToEnd(t *testing.T) {
	if testing.Short() {
		t.Skip("end-to-end tests take minutes; run without -short")
	}
	requireTools(t)
	server := testenv.Server(t)

	files, err := filepath.Glob("node/test/*.test.mjs")
	if err != nil || len(files) == 0 {
		t.Fatalf("no tests in node/test (%v)", err)
	}
	slots := make(chan struct{}, parallelism)
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".test.mjs")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			slots <- struct{}{}
			defer func() { <-slots }()
			runFile(t, server, file)
		})
	}
}

// requireTools ends the test when this machine cannot run it. For the files of node/test, a variable may name a program that is not in PATH.
func requireTools(t *testing.T) {
	t.Helper()
	testenv.Programs(t, "node")
	testenv.NPM(t, "node")
	for _, need := range []struct{ program, variable string }{
		{"redis-server", "REDIS_SERVER"}, {"haproxy", "HAPROXY"}, {"nginx", "NGINX"},
	} {
		if os.Getenv(need.variable) == "" {
			testenv.Programs(t, need.program)
		}
	}
}

// runFile runs one test file under node's test runner; its report becomes the subtest's output.
func runFile(t *testing.T, server, file string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", "--test", "--test-reporter=spec", "test/"+filepath.Base(file))
	cmd.Dir = "node"
	cmd.Env = append(os.Environ(), "CHAT_SERVER="+server)
	// A group of their own, so that the servers a test has started end with it whatever happens.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return killGroup(cmd.Process.Pid) }
	cmd.WaitDelay = 5 * time.Second
	out, err := cmd.CombinedOutput()
	if killErr := killGroup(cmd.Process.Pid); killErr != nil {
		t.Logf("end what %s left behind: %v", file, killErr)
	}
	if err != nil {
		t.Errorf("%s: %v\n%s", file, err, out)
		return
	}
	t.Logf("\n%s", out)
}

// killGroup ends a process group that may have ended already.
func killGroup(pid int) error {
	if err := syscall.Kill(-pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		return err
	}
	return nil
}

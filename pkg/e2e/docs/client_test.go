//go:build linux

package docs

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"socketio-chat/pkg/testenv"
)

// patience is how long a test waits for what a busy machine may have to compile first.
const patience = 3 * time.Minute

var (
	javaScript = regexp.MustCompile("(?s)```js\n(.*?)```")
	listening  = regexp.MustCompile(`msg=listening .*?addr=\S*:(\d+)`)
)

// TestReadmeClient runs the client of the README as it stands there, against a server as the README starts it: it hears that it joined, that
// nothing was said before, and what it said itself.
func TestReadmeClient(t *testing.T) {
	testenv.NPM(t, filepath.Join(root, "pkg/e2e/node"))
	clients, err := filepath.Abs(filepath.Join(root, "pkg/e2e/node/node_modules/client-4.8"))
	if err != nil {
		t.Fatal(err)
	}
	_, port := listenWith(t, exec.CommandContext(t.Context(), testenv.Server(t)), []string{"REDIS_URL=", "REDIS_HOST=", "REDIS_PORT=", "CHAT_HISTORY=200"})

	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "node_modules"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(clients, filepath.Join(dir, "node_modules/socket.io-client")); err != nil {
		t.Fatal(err)
	}
	code := javaScript.FindStringSubmatch(read(t, filepath.Join(root, "README.md")))
	if code == nil {
		t.Fatal("README.md has no JavaScript")
	}
	script := filepath.Join(dir, "client.mjs")
	if err := os.WriteFile(script, []byte(strings.ReplaceAll(code[1], "localhost:3000", "localhost:"+port)), 0o600); err != nil {
		t.Fatal(err)
	}
	wantLines(t, exec.CommandContext(t.Context(), "node", script), "admin: join chat.", "0 before", "Ann: hello")
}

// listen starts a server on a free port, without Redis, and returns the port once it says that it listens.
func listen(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	_, port := listenWith(t, cmd, []string{"REDIS_URL=", "REDIS_HOST=", "REDIS_PORT="})
	return port
}

// listenWith is listen with settings. The server ends with the test; the caller may end it, and wait for it, before.
func listenWith(t *testing.T, cmd *exec.Cmd, settings []string) (*exec.Cmd, string) {
	t.Helper()
	if cmd.Dir == "" {
		cmd.Dir = t.TempDir() // no .env there
	}
	cmd.Env = append(append(os.Environ(), "NODE_PORT=0", "METRICS_ADDR=off", "LOG_FORMAT=text", "NO_COLOR=1"), settings...)
	// A file: a pipe would have to be read for as long as the server runs.
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd.Stderr = log
	// A group of its own: `go run` does not pass a signal on.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s:\n%s", cmd.Path, read(t, log.Name()))
		}
	})
	var port string
	await(t, "the server says where it listens", func() bool {
		m := listening.FindStringSubmatch(read(t, log.Name()))
		if m != nil {
			port = m[1]
		}
		return m != nil
	})
	return cmd, port
}

// wantLines runs a program until it has written these lines, in whatever order.
func wantLines(t *testing.T, cmd *exec.Cmd, want ...string) {
	t.Helper()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })
	defer stop()
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	missing := map[string]bool{}
	for _, line := range want {
		missing[line] = true
	}
	lines := bufio.NewScanner(stdout)
	for len(missing) > 0 && lines.Scan() {
		delete(missing, lines.Text())
	}
	for line := range missing {
		t.Errorf("the program did not write %q", line)
	}
}

package testenv

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Missing ends the test because something that it needs is not there: it skips the test, and fails it in CI.
func Missing(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// Programs ends the test by [Missing] unless PATH has all of these programs.
func Programs(t testing.TB, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := exec.LookPath(name); err != nil {
			Missing(t, "%s is missing: run .ci/test-deps.sh", name)
		}
	}
}

// NPM ends the test by [Missing] unless the packages of pkg/e2e/node are installed. nodeDir is the path of that folder.
func NPM(t testing.TB, nodeDir string) {
	t.Helper()
	// npm writes this file last.
	if _, err := os.Stat(filepath.Join(nodeDir, "node_modules/.package-lock.json")); err != nil {
		Missing(t, "the npm packages are not installed: run `npm ci` in pkg/e2e/node")
	}
}

// Server returns the path of the server under test: CHAT_SERVER, or one built from this tree, which the test's end removes.
func Server(t testing.TB) string {
	t.Helper()
	if path := os.Getenv("CHAT_SERVER"); path != "" {
		return path
	}
	path := filepath.Join(t.TempDir(), "chat-server")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", path, "socketio-chat/cmd/chat-server")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the server: %v\n%s", err, out)
	}
	return path
}

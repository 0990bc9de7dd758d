package docs

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// program is what somebody else builds with the packages.
const program = `package main

import (
	"context"
	"fmt"

	"github.com/zishang520/socket.io/v2/socket"

	"chat.example/team/chat/pkg/socketio"
)

func main() {
	io := socketio.NewServer(socketio.Options{})
	socketio.On(io.Of("/"), "say", func(_ context.Context, s *socket.Socket, text string) error {
		return io.Of("/").Everybody().Broadcast("said", text)
	})
	fmt.Println(io.Of("/").Name(), io.Close(context.Background()))
}
`

// TestRename gives a copy of the tree a name that can be imported, with the documented command, builds it, and builds and runs a program of
// another module with its packages.
func TestRename(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles the packages under another name")
	}
	dir := t.TempDir()
	tree := filepath.Join(dir, "chat")
	copyTree(t, tree)
	run(t, tree, "sh", ".ci/rename.sh", "chat.example/team/chat")
	run(t, tree, "go", "build", "-o", os.DevNull, "./cmd/chat-server")
	if out := run(t, tree, "go", "list", "-m"); out != "chat.example/team/chat\n" {
		t.Errorf("the module is called %s", out)
	}
	if out := run(t, tree, "sh", "-c", "gofmt -l cmd pkg web; grep -rlE '\"socketio-chat/(cmd|pkg|web)' --include=*.go . || true"); out != "" {
		t.Errorf("files that are not formatted, or keep the old name:\n%s", out)
	}

	other := filepath.Join(dir, "other")
	write(t, filepath.Join(other, "main.go"), program)
	write(t, filepath.Join(other, "go.mod"), "module chat.example/other\n\ngo 1.26.0\n\nreplace chat.example/team/chat => ../chat\n")
	run(t, other, "go", "mod", "tidy")
	if out := run(t, other, "go", "run", "."); out != "/ <nil>\n" {
		t.Errorf("the program says %q", out)
	}
}

// copyTree copies what git has, or would add, to another folder.
func copyTree(t *testing.T, to string) {
	t.Helper()
	files := run(t, root, "git", "ls-files", "--cached", "--others", "--exclude-standard")
	for file := range strings.Lines(files) {
		file = strings.TrimSuffix(file, "\n")
		content, err := os.ReadFile(filepath.Join(root, file))
		if os.IsNotExist(err) {
			continue // deleted, not committed yet
		}
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(to, file), string(content))
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// run runs a program in a folder and returns what it prints; a failure ends the test.
func run(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, out, stderr.String())
	}
	return string(out)
}

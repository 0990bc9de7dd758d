package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// fakeTree is a module with a page, and a PATH whose node and npm only write down what they were asked for.
func fakeTree(t *testing.T, nodeVersion string) (root string, asked func() string) {
	t.Helper()
	root = t.TempDir()
	bin := t.TempDir()
	log := filepath.Join(bin, "asked")
	write(t, filepath.Join(root, "web", "package-lock.json"), "{}")
	write(t, filepath.Join(root, "web", "src", "main.ts"), "first")
	write(t, filepath.Join(root, "web", "src", "main.test.ts"), "a test")
	if nodeVersion != "" {
		script(t, filepath.Join(bin, "node"), "echo "+nodeVersion)
		script(t, filepath.Join(bin, "npm"), fmt.Sprintf(`echo "$1 $2" >>%s
[ "$1" != ci ] || { mkdir -p node_modules; echo {} >node_modules/.package-lock.json; }
[ "$1" != run ] || { mkdir -p dist/page; echo page >dist/page/index.html; echo 4 >dist/client.version; }`, log))
	}
	t.Setenv("PATH", bin+":/bin:/usr/bin")
	if nodeVersion == "" {
		t.Setenv("PATH", bin)
	}
	return root, func() string {
		text, _ := os.ReadFile(log)
		_ = os.Remove(log)
		return strings.ReplaceAll(strings.TrimSpace(string(text)), "\n", ", ")
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func script(t *testing.T, name, body string) {
	t.Helper()
	write(t, name, "#!/bin/sh\n"+body+"\n")
	if err := os.Chmod(name, 0o755); err != nil {
		t.Fatal(err)
	}
}

// build runs buildPage and returns what it said.
func build(t *testing.T, root string) string {
	t.Helper()
	var said bytes.Buffer
	if err := buildPage(root, &progress{&said, false, time.Hour}); err != nil {
		t.Fatal(err)
	}
	return said.String()
}

// TestPageIsBuiltWhenItChanged: npm is asked for what is missing or out of date, and for nothing else.
func TestPageIsBuiltWhenItChanged(t *testing.T) {
	if exeSuffix != "" {
		t.Skip("the stand-ins for node and npm are shell scripts")
	}
	root, asked := fakeTree(t, "v22.1.0")
	for _, step := range []struct {
		name string
		do   func()
		want string
	}{
		{"a fresh clone", func() {}, "ci --omit=dev, run --silent"},
		{"again", func() {}, ""},
		{"a source changed", func() { write(t, filepath.Join(root, "web", "src", "main.ts"), "second") }, "run --silent"},
		{"a test changed", func() { write(t, filepath.Join(root, "web", "src", "main.test.ts"), "another") }, ""},
		{"the page was removed", func() { _ = os.RemoveAll(filepath.Join(root, "web", "dist", "page")) }, "run --silent"},
		{"other packages", func() {
			write(t, filepath.Join(root, "web", "package-lock.json"), `{"other":1}`)
			later := time.Now().Add(time.Hour)
			_ = os.Chtimes(filepath.Join(root, "web", "package-lock.json"), later, later)
		}, "ci --omit=dev, run --silent"},
	} {
		step.do()
		build(t, root)
		if got := asked(); got != step.want {
			t.Errorf("%s: npm was asked for %q, want %q", step.name, got, step.want)
		}
	}
}

// TestWithoutNode: the server is built all the same, and the reader learns why there is no page.
func TestWithoutNode(t *testing.T) {
	if exeSuffix != "" {
		t.Skip("the stand-ins for node and npm are shell scripts")
	}
	for version, want := range map[string]string{"": "npm is not installed", "v18.20.1": "v18.20.1 is too old", "v20.18.0": "v20.18.0 is too old"} {
		root, asked := fakeTree(t, version)
		if said := build(t, root); !strings.Contains(said, want) || !strings.Contains(said, "https://nodejs.org") {
			t.Errorf("with Node %q: it said %q, want %q", version, said, want)
		}
		if got := asked(); got != "" {
			t.Errorf("with Node %q: npm was asked for %q", version, got)
		}
	}
}

// TestFailureIsShown: what npm said comes with the error.
func TestFailureIsShown(t *testing.T) {
	if exeSuffix != "" {
		t.Skip("the stand-ins for node and npm are shell scripts")
	}
	root, _ := fakeTree(t, "v22.0.0")
	script(t, filepath.Join(strings.Split(os.Getenv("PATH"), ":")[0], "npm"), "echo no network >&2; exit 7")
	err := buildPage(root, &progress{&bytes.Buffer{}, false, time.Hour})
	if err == nil || !strings.Contains(err.Error(), "no network") || !strings.Contains(err.Error(), "npm ci") {
		t.Errorf("the error is %v", err)
	}
}

// TestCompiledCounts: the lines of `go build -v`, in pieces as they come, and the rest for an error.
func TestCompiledCounts(t *testing.T) {
	var packages, modules int
	c := compiled{counted: func(p, m int) { packages, modules = p, m }}
	for _, piece := range []string{
		"go: downloading github.com/redis/go-redis/v9 v9.23.0\ninter", "nal/abi\nnet/http\n",
		"# socketio-chat/pkg/chat\npkg/chat/chat.go:1:1: syntax error\n",
	} {
		if _, err := c.Write([]byte(piece)); err != nil {
			t.Fatal(err)
		}
	}
	if packages != 2 || modules != 1 || !strings.Contains(c.rest.String(), "syntax error") {
		t.Errorf("%d packages, %d modules, rest %q", packages, modules, c.rest.String())
	}
}

// TestTerminalLine: on a terminal a step is one line, written over, without remains of a longer one.
func TestTerminalLine(t *testing.T) {
	var out bytes.Buffer
	s := (&progress{&out, true, time.Hour}).begin("page", "installing its npm packages")
	s.end("built")
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\r")
	last := lines[len(lines)-1]
	if strings.Count(out.String(), "\n") != 1 || strings.TrimRight(last, " ") != "page    built" || len(last) != len("page    installing its npm packages") {
		t.Errorf("got %q", out.String())
	}
}

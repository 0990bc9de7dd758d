package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
)

// compilerGC is GOGC for the compiler. It makes much garbage and lives for seconds: collecting less often saves a quarter
// of its time, at the price of memory (1 GB where it was half of that).
const compilerGC = "GOGC=400"

// buildServer compiles cmd/chat-server into binary. The first time takes a minute or two, later ones seconds.
func buildServer(root, binary string, say *progress) error {
	s := say.begin("server", "looking for what it needs")
	packages, err := countPackages(root, s)
	if err != nil {
		s.end("go list failed")
		return err
	}
	args := []string{"build", "-v", "-ldflags", "-s -w -X main.version=" + describe(root), "-o", binary, "./cmd/chat-server"}
	command := goCommand(root, args...)
	lines := compiled{counted: func(done, _ int) {
		s.set(fmt.Sprintf("compiling, %d of at most %d packages; the first time takes a minute or two", done, packages))
	}}
	command.Stderr = &lines
	command.Stdout = &lines
	if err := command.Run(); err != nil {
		s.end("go build failed")
		return fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, strings.TrimSpace(lines.rest.String()))
	}
	if done, _ := lines.counts(); done > 1 {
		s.end(fmt.Sprintf("built, %d packages compiled", done))
	} else {
		s.end("built")
	}
	return nil
}

// countPackages is how many packages the server consists of. It downloads the modules they are in.
func countPackages(root string, s *step) (int, error) {
	command := goCommand(root, "list", "-deps", "./cmd/chat-server")
	lines := compiled{counted: func(_, modules int) { s.set(fmt.Sprintf("downloading, %d modules", modules)) }}
	command.Stderr = &lines
	out, err := command.Output()
	if err != nil {
		return 0, fmt.Errorf("go list: %w\n%s", err, strings.TrimSpace(lines.rest.String()))
	}
	return bytes.Count(out, []byte("\n")), nil
}

// describe is the version that the server will say of itself.
func describe(root string) string {
	command := exec.Command("git", "describe", "--tags", "--always", "--dirty")
	command.Dir = root
	out, err := command.Output()
	if err != nil {
		return "devel"
	}
	return strings.TrimSpace(string(out))
}

// goCommand runs the go command in root, with a compiler that collects garbage less often.
func goCommand(root string, args ...string) *exec.Cmd {
	command := exec.Command("go", args...)
	command.Dir = root
	command.Env = append(os.Environ(), compilerGC)
	return command
}

// compiled counts what `go build -v` says: a line for each package that it begins to compile and for each module that it
// downloads. Other lines are kept for an error.
type compiled struct {
	counted func(packages, modules int)

	mu                sync.Mutex
	partial           []byte
	packages, modules int
	rest              bytes.Buffer
}

// Write counts the lines in p.
func (c *compiled) Write(p []byte) (int, error) {
	c.mu.Lock()
	c.partial = append(c.partial, p...)
	for {
		line, after, ok := bytes.Cut(c.partial, []byte("\n"))
		if !ok {
			break
		}
		c.line(string(line))
		c.partial = after
	}
	packages, modules := c.packages, c.modules
	c.mu.Unlock()
	if c.counted != nil {
		c.counted(packages, modules)
	}
	return len(p), nil
}

// line counts one line.
func (c *compiled) line(line string) {
	switch {
	case strings.HasPrefix(line, "go: downloading "):
		c.modules++
	case line != "" && !strings.ContainsAny(line, " :#"): // an import path
		c.packages++
	default:
		c.rest.WriteString(line + "\n")
	}
}

func (c *compiled) counts() (packages, modules int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.packages, c.modules
}

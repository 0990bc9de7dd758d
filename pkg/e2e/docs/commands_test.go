//go:build linux

package docs

import (
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var shell = regexp.MustCompile("(?s)```sh\n(.*?)```")

// TestReadmeCommands runs each command of the README, or checks that the tests that run it do.
func TestReadmeCommands(t *testing.T) {
	tested := map[string]func(t *testing.T, command string){
		"go run ./cmd/start": serves,
		"go run github.com/go-task/task/v3/cmd/task@v3.39.2 test:deps test": continuousIntegrationRuns,
	}
	for _, page := range []string{"README.md", "README.ko.md"} {
		block := shell.FindStringSubmatch(read(t, filepath.Join(root, page)))
		if block == nil {
			t.Fatalf("%s has no commands", page)
		}
		found := map[string]bool{}
		for line := range strings.Lines(block[1]) {
			command, _, _ := strings.Cut(line, "#")
			if command = strings.TrimSpace(command); command == "" {
				continue
			}
			found[command] = true
			if tested[command] == nil {
				t.Errorf("%s: nothing tests the command %q", page, command)
			}
		}
		for command := range tested {
			if !found[command] {
				t.Errorf("%s lacks the command %q", page, command)
			}
		}
	}
	for command, test := range tested {
		t.Run(command, func(t *testing.T) { test(t, command) })
	}
}

// serves runs a command that serves the chat, and asks it.
func serves(t *testing.T, command string) {
	words := strings.Fields(command)
	cmd := exec.CommandContext(t.Context(), words[0], words[1:]...)
	cmd.Dir = root
	port := listen(t, cmd)
	res, err := http.Get("http://localhost:" + port + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Errorf("/healthz answers %s", res.Status)
	}
}

// continuousIntegrationRuns holds a command against what CI runs; it runs this test, too.
func continuousIntegrationRuns(t *testing.T, command string) {
	if !strings.Contains(read(t, filepath.Join(root, ".ci/run")), command) {
		t.Errorf(".ci/run does not run %q", command)
	}
}

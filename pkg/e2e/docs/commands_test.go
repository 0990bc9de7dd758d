//go:build linux

package docs

import (
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

var shell = regexp.MustCompile("(?s)```sh\n(.*?)```")

// TestReadmeCommands runs each command of the README, or checks that the tests that run it do.
func TestReadmeCommands(t *testing.T) {
	tested := map[string]func(t *testing.T, command string){
		"CHAT_HISTORY=200 go run ./cmd/start":                               servesAndKeeps,
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

// servesAndKeeps runs a command, as a shell does, that serves a chat with a history of 200 messages, and asks it.
func servesAndKeeps(t *testing.T, command string) {
	cmd := exec.CommandContext(t.Context(), "sh", "-c", "exec env "+command)
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
	if got := features(t, port); !strings.HasPrefix(got, `{"history":{"limit":200,"hours":24}`) {
		t.Errorf("the chat offers %s", got)
	}
}

// features is what a chat answers to the event of that name.
func features(t *testing.T, port string) string {
	t.Helper()
	conn, _, _, err := ws.Dial(t.Context(), "ws://localhost:"+port+"/socket.io/?EIO=4&transport=websocket")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	for _, question := range []string{"40/chat,", `42/chat,1["features",{}]`} {
		if err := wsutil.WriteClientText(conn, []byte(question)); err != nil {
			t.Fatal(err)
		}
	}
	for {
		packet, err := wsutil.ReadServerText(conn)
		if err != nil {
			t.Fatal(err)
		}
		if answer, ok := strings.CutPrefix(string(packet), "43/chat,1["); ok {
			return strings.TrimSuffix(answer, "]")
		}
	}
}

// continuousIntegrationRuns holds a command against what CI runs; it runs this test, too.
func continuousIntegrationRuns(t *testing.T, command string) {
	if !strings.Contains(read(t, filepath.Join(root, ".ci/run")), command) {
		t.Errorf(".ci/run does not run %q", command)
	}
}

//go:build unix

package suites

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"socketio-chat/pkg/engineio"
	"socketio-chat/pkg/socketio"
	"socketio-chat/pkg/testenv"
)

// heartbeat is what the protocols' suites wait for; its time-out leaves a busy machine time.
var heartbeat = engineio.Options{PingInterval: 300 * time.Millisecond, PingTimeout: 2 * time.Second, MaxPayload: 1_000_000}

// TestWithNode runs the files of ../node/suites on servers of this process.
func TestWithNode(t *testing.T) {
	if testing.Short() {
		t.Skip("starts Node; run without -short")
	}
	testenv.NPM(t, "../node")
	env := append(os.Environ(),
		"SUITE_ECHO="+address(t, echoServer(t, engineio.Options{MaxPayload: heartbeat.MaxPayload})),
		"SUITE_BEATS="+address(t, echoServer(t, heartbeat)),
		"SUITE_PROTOCOL="+address(t, protocolServer(t)),
		"SUITE_STAGE="+address(t, stageServer(t)))
	files, err := filepath.Glob("../node/suites/*.test.mjs")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files in ../node/suites (%v)", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".test.mjs"), func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, "node", "--test", "--test-reporter=spec", "suites/"+filepath.Base(file))
			cmd.Dir, cmd.Env = "../node", env
			cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
			cmd.WaitDelay = 5 * time.Second
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Errorf("%s: %v\n%s", file, err, out)
				return
			}
			t.Logf("\n%s", out)
		})
	}
}

// address serves handler until the test ends, and returns host:port.
func address(t *testing.T, handler http.Handler) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// echoServer is an Engine.IO server that sends every message back.
func echoServer(t *testing.T, opts engineio.Options) http.Handler {
	opts.OnConnect = func(c *engineio.Conn) engineio.Receiver { return echo{c} }
	server := engineio.NewServer(opts)
	closes(t, server.Close)
	return server
}

type echo struct{ conn *engineio.Conn }

func (e echo) Receive(data []byte, binary bool) {
	if binary {
		e.conn.Send(engineio.NewBinaryFrame(data))
	} else {
		e.conn.Send(engineio.NewTextFrame(data))
	}
}

func (echo) Closed(engineio.CloseReason, error) {}

// newServer makes a server that the test's end closes.
func newServer(t testing.TB, opts socketio.Options) *socketio.Server {
	t.Helper()
	io := socketio.NewServer(opts)
	closes(t, io.Close)
	return io
}

// closes closes a server when the test ends. Its clients have ended by then, and many had no
// reason to say so.
func closes(t testing.TB, server func(context.Context) error) {
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		_ = server(ctx)
	})
}

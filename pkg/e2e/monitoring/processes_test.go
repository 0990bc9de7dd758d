//go:build linux

package monitoring

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"socketio-chat/pkg/testenv"
)

// patience is how long a program may take to get ready.
const patience = 30 * time.Second

// start starts a program that ends with the test. Its output is shown if the test fails.
func start(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	var output bytes.Buffer
	if cmd.Stderr == nil {
		cmd.Stdout, cmd.Stderr = &output, &output
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() && output.Len() > 0 {
			t.Logf("%s:\n%s", cmd.Path, output.Bytes())
		}
	})
}

// freePort is a port that was free just now, outside the range of outgoing connections.
func freePort(t *testing.T) string {
	t.Helper()
	for n := range 100 {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 12_000+(os.Getpid()*7+n*131)%18_000))
		if err == nil {
			defer l.Close()
			_, port, _ := net.SplitHostPort(l.Addr().String())
			return port
		}
	}
	t.Fatal("no port is free")
	return ""
}

func startRedis(t *testing.T) (port string) {
	t.Helper()
	port = freePort(t)
	start(t, exec.Command("redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"))
	eventually(t, "Redis listens", func() bool {
		c, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	return port
}

// A listening line is what a chat server says when it is ready.
type listening struct{ Msg, Addr, Metrics string }

// startServer starts the chat server at path.
func startServer(t *testing.T, path string, environ ...string) (l listening) {
	t.Helper()
	cmd := exec.Command(path)
	cmd.Dir = t.TempDir() // without anybody's .env
	cmd.Env = slices.Concat(environ, []string{
		"PATH=" + os.Getenv("PATH"), "HOST=127.0.0.1", "NODE_PORT=0", "METRICS_ADDR=127.0.0.1:0", "LOG_FORMAT=json",
	})
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = write
	start(t, cmd)
	write.Close()
	lines := bufio.NewScanner(read)
	for lines.Scan() {
		if json.Unmarshal(lines.Bytes(), &l) == nil && l.Msg == "listening" {
			go func() { // ends with the server
				defer read.Close()
				for lines.Scan() {
				}
			}()
			return l
		}
	}
	t.Fatalf("the server ended: %s", lines.Text())
	return l
}

// A prometheus is a running one.
type prometheus struct{ url string }

// startPrometheus scrapes the addresses, with the alert rules of deploy/, faster than anybody would.
func startPrometheus(t *testing.T, addresses []string) *prometheus {
	t.Helper()
	rules, err := filepath.Abs(alertsFile)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	config := fmt.Sprintf("global: {scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 500ms}\nrule_files: [%q]\n"+
		"scrape_configs:\n  - job_name: chat\n    static_configs:\n      - targets: [%s]\n", rules, strings.Join(addresses, ", "))
	file := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	port := freePort(t)
	start(t, exec.Command("prometheus", "--config.file="+file, "--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--web.listen-address=127.0.0.1:"+port, "--log.level=warn"))
	p := &prometheus{"http://127.0.0.1:" + port}
	eventually(t, "Prometheus is ready", func() bool {
		answer, err := http.Get(p.url + "/-/ready")
		if err != nil {
			return false
		}
		answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	})
	return p
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// TestRules: the files of deploy/ are what Prometheus takes, every alert can fire, and none does
// while all is well.
func TestRules(t *testing.T) {
	testenv.Programs(t, "promtool")
	for _, args := range [][]string{
		{"check", "config", "prometheus.yml"}, {"check", "rules", "alerts.yml"}, {"test", "rules", "alerts_test.yml"},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		cmd := exec.CommandContext(ctx, "promtool", args...)
		cmd.Dir = "../../../deploy/prometheus"
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		cancel()
	}
}

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"socketio-chat/pkg/config"
)

// asServer makes the test binary behave as chat-server, so that tests can start one as a
// process without building it again.
const asServer = "CHAT_SERVER_TEST_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(asServer) != "" {
		main()
	}
	os.Exit(m.Run())
}

// loopback are the settings of a server that gets in nobody's way.
var loopback = []string{"HOST=127.0.0.1", "NODE_PORT=0", "METRICS_ADDR=127.0.0.1:0", "LOG_FORMAT=json", "LOG_LEVEL=debug", "DRAIN_SECONDS=0"}

// logLine is what tests look at in a log line.
type logLine struct {
	Level, Msg, Addr, Page, Metrics string
}

// awaitLine reads the log up to the line with this message.
func awaitLine(t testing.TB, log *bufio.Scanner, msg string) logLine {
	t.Helper()
	for log.Scan() {
		var line logLine
		if err := json.Unmarshal(log.Bytes(), &line); err != nil {
			t.Fatalf("log line %q: %v", log.Text(), err)
		}
		if line.Msg == msg {
			return line
		}
	}
	t.Fatalf("the log ends without %q: %v", msg, log.Err())
	return logLine{}
}

// instance is a server within the test process.
type instance struct {
	listening logLine
	stop      context.CancelFunc
	result    chan error
}

func startInstance(t testing.TB, environ ...string) *instance {
	t.Helper()
	return startLogged(t, io.Discard, environ...)
}

// startLogged is startInstance with a copy of the log.
func startLogged(t testing.TB, copied io.Writer, environ ...string) *instance {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	in := &instance{stop: stop, result: make(chan error, 1)}
	read, write := io.Pipe()
	go func() {
		in.result <- run(ctx, nil, append(environ, loopback...), strings.NewReader(""), io.Discard, write)
		write.Close()
	}()
	log := bufio.NewScanner(io.TeeReader(read, copied))
	in.listening = awaitLine(t, log, "listening")
	go func() { _, _ = io.Copy(copied, read) }() // ends with the server
	t.Cleanup(func() { stop(); read.Close() })
	return in
}

func get(t testing.TB, url string) (int, string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

func TestServeFromStartToEnd(t *testing.T) {
	t.Chdir(t.TempDir()) // no .env of the developer's
	in := startInstance(t)
	for _, url := range []string{"http://" + in.listening.Addr, "http://" + in.listening.Metrics} {
		for _, path := range []string{"/healthz", "/readyz"} {
			if status, text := get(t, url+path); status != http.StatusOK {
				t.Errorf("%s: %d %s", path, status, text)
			}
		}
	}
	if status, text := get(t, in.listening.Page); !strings.HasPrefix(strings.ToLower(text), "<!doctype html>") {
		t.Errorf("/: %d %.80q", status, text)
	}
	in.stop()
	if err := <-in.result; err != nil {
		t.Errorf("ended with %v", err)
	}
	if c, err := net.Dial("tcp", in.listening.Addr); err == nil {
		c.Close()
		t.Error("still listens after its end")
	}
}

func TestHealthcheck(t *testing.T) {
	t.Chdir(t.TempDir())
	in := startInstance(t)
	_, port, _ := net.SplitHostPort(in.listening.Addr)
	check := func(environ ...string) error {
		return run(t.Context(), []string{"healthcheck"}, environ, strings.NewReader(""), io.Discard, io.Discard)
	}
	if err := check("HOST=127.0.0.1", "NODE_PORT="+port); err != nil {
		t.Errorf("alive: %v", err)
	}
	// A proxy of the environment is not asked.
	if err := check("HOST=0.0.0.0", "NODE_PORT="+port, "HTTP_PROXY=http://127.0.0.1:1"); err != nil {
		t.Errorf("listening everywhere: %v", err)
	}
	if err := check("HOST=127.0.0.1", "NODE_PORT=0"); err == nil {
		t.Error("port 0 counts as alive")
	}
	in.stop()
	<-in.result
	if err := check("HOST=127.0.0.1", "NODE_PORT="+port); err == nil || exitCode(err) != 1 {
		t.Errorf("dead: %v", err)
	}
}

func TestReachable(t *testing.T) {
	for host, want := range map[string]string{
		"": "localhost:1", "0.0.0.0": "localhost:1", "::": "localhost:1", "::1": "[::1]:1", "chat": "chat:1",
	} {
		if got := reachable(config.HTTP{Host: host, Port: 1}); got != want {
			t.Errorf("%q: %s, want %s", host, got, want)
		}
	}
}

func TestArguments(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, tt := range []struct {
		args []string
		code int
		want string // in the output or the error
	}{
		{[]string{"--help"}, 0, "CHAT_JOIN_NOTICE"},
		{[]string{"-h"}, 0, "chat-server healthcheck"},
		{[]string{"--version"}, 0, "chat-server "},
		{[]string{"--port", "1"}, 2, "flag provided but not defined: -port; try chat-server --help"},
		{[]string{"help"}, 0, "CHAT_JOIN_NOTICE"},
		{[]string{"version"}, 0, "chat-server "},
		{[]string{"--help", "NODE_PORT"}, 0, "Must be a whole number from 0 to 65535."},
		{[]string{"help", "redis_"}, 0, "REDIS_ADAPTER"},
		{[]string{"help", "announce"}, 0, "chat-server announce --text TEXT"},
		{[]string{"announce", "--help"}, 0, "Send a message to everybody"},
		{[]string{"healthcheck", "--help"}, 0, "Exit code 0 or 1"},
		{[]string{"hash-password", "-h"}, 0, "Read a password from standard input"},
		{[]string{"help", "NODE_PROT"}, 2, "did you mean NODE_PORT?"},
		{[]string{"help", "one", "two"}, 2, "one command or variable at a time"},
		{[]string{"start"}, 2, `there is no command "start"; try chat-server --help`},
		{[]string{"healthcheck", "now"}, 2, `healthcheck takes no arguments, here are ["now"]`},
	} {
		var out strings.Builder
		err := run(t.Context(), tt.args, nil, strings.NewReader(""), &out, io.Discard)
		text := out.String() + fmt.Sprint(err)
		if exitCode(err) != tt.code || !strings.Contains(text, tt.want) {
			t.Errorf("%q: code %d, %s", tt.args, exitCode(err), text)
		}
	}
}

func TestWrongSettingsStopTheStart(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile(".env", []byte("NODE_PORT=many\nREDIS_PROT=1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := run(t.Context(), nil, []string{"LOG_LEVEL=loud"}, strings.NewReader(""), io.Discard, io.Discard)
	var problems *config.Error
	if !errors.As(err, &problems) || len(problems.Problems) != 2 || exitCode(err) != 2 {
		t.Errorf("got %v", err)
	}
}

// TestWrongSettingsAsJSON: a collector of JSON lines gets one for each problem and each hint, and nothing else.
func TestWrongSettingsAsJSON(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, format := range []string{"json", "auto"} {
		environ := []string{"LOG_FORMAT=" + format, "NODE_PROT=1", "ADMIN_PASSWORD_HASH=hunter2"}
		for i := range 8 {
			environ = append(environ, []string{"NODE_PORT", "MAX_ROOMS", "MAX_NAMESPACES", "MESSAGE_BURST", "CHAT_STRICT", "TRANSPORTS", "HOST", "LOG_LEVEL"}[i]+"=!")
		}
		var stderr strings.Builder
		err := run(t.Context(), nil, environ, strings.NewReader(""), io.Discard, &stderr)
		if exitCode(err) != 2 || !errors.As(err, &errLogged{}) {
			t.Errorf("%s: %v", format, err)
		}
		names := map[string]int{}
		for line := range strings.Lines(stderr.String()) {
			var got struct{ Level, Msg, Name, Value, Problem string }
			if err := json.Unmarshal([]byte(line), &got); err != nil {
				t.Fatalf("%s: %v in %q", format, err, line)
			}
			names[got.Level]++
			if got.Level == "ERROR" && (got.Name == "" || !strings.HasPrefix(got.Problem, "must be ")) {
				t.Errorf("%s: %s", format, line)
			}
		}
		if names["ERROR"] != 9 || names["WARN"] != 1 || strings.Contains(stderr.String(), "hunter2") {
			t.Errorf("%s: %v in %s", format, names, stderr.String())
		}
	}
	var stderr strings.Builder
	if err := run(t.Context(), nil, []string{"LOG_FORMAT=text", "NODE_PORT=x"}, nil, io.Discard, &stderr); stderr.Len() != 0 || errors.As(err, &errLogged{}) {
		t.Errorf("main has nothing to print: %v, %s", err, stderr.String())
	}
}

// TestHashPassword: the hash is one that ADMIN_PASSWORD_HASH takes, of the password without its line break.
func TestHashPassword(t *testing.T) {
	t.Chdir(t.TempDir())
	hash := func(stdin io.Reader) (string, error) {
		var out strings.Builder
		err := run(t.Context(), []string{"hash-password"}, nil, stdin, &out, io.Discard)
		return strings.TrimSpace(out.String()), err
	}
	got, err := hash(strings.NewReader("correct horse\r\nbattery"))
	if err != nil || bcrypt.CompareHashAndPassword([]byte(got), []byte("correct horse")) != nil {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := config.Load([]string{"ADMIN_USER=ops", "ADMIN_PASSWORD_HASH=" + got}, ""); err != nil {
		t.Error(err)
	}
	for text, want := range map[string]string{"": "no password", "\n": "no password", strings.Repeat("x", 73): "at most 72 bytes"} {
		if got, err := hash(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) || got != "" {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	// Ctrl-C ends it while it waits for a line.
	ctx, interrupt := context.WithCancelCause(t.Context())
	interrupt(errInterrupted)
	silent, quiet := io.Pipe()
	defer quiet.Close()
	if err := run(ctx, []string{"hash-password"}, nil, silent, io.Discard, io.Discard); !errors.Is(err, errInterrupted) {
		t.Errorf("interrupted: %v", err)
	}
}

func TestAddressTaken(t *testing.T) {
	t.Chdir(t.TempDir())
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	for _, setting := range []string{"NODE_PORT=" + port, "METRICS_ADDR=" + taken.Addr().String()} {
		name, _, _ := strings.Cut(setting, "=")
		err := run(t.Context(), nil, append([]string{setting}, loopback...), strings.NewReader(""), io.Discard, io.Discard)
		if !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), name) || exitCode(err) != 1 {
			t.Errorf("%s: %v", setting, err)
		}
	}
	// The default address for operators is not worth dying for.
	cfg, err := config.Load(nil, "")
	if err != nil {
		t.Fatal(err)
	}
	cfg.HTTP.MetricsAddr = taken.Addr().String()
	if l, err := listenOperator(cfg, newLogger(cfg.Log, io.Discard)); l != nil || err != nil {
		t.Errorf("default taken: %v, %v", l, err)
	}
	cfg.HTTP.MetricsAddr = ""
	if l, err := listenOperator(cfg, newLogger(cfg.Log, io.Discard)); l != nil || err != nil {
		t.Errorf("switched off: %v, %v", l, err)
	}
}

func TestLogFormats(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if isTerminal(file) {
		t.Error("a file is taken for a terminal")
	}
	for format, prefix := range map[config.LogFormat]string{config.LogAuto: "{", config.LogJSON: "{", config.LogText: "time="} {
		var out strings.Builder
		newLogger(config.Log{Format: format}, &out).Info("x")
		if !strings.HasPrefix(out.String(), prefix) {
			t.Errorf("%s: %s", format, out.String())
		}
	}
}

// process is chat-server as a process.
type process struct {
	*exec.Cmd
	log       *bufio.Scanner
	listening logLine
}

func startProcess(t testing.TB, environ ...string) *process {
	t.Helper()
	p := &process{Cmd: exec.Command(os.Args[0])}
	p.Env = append(append(append(os.Environ(), asServer+"=1"), loopback...), environ...)
	p.Dir = t.TempDir()
	stderr, err := p.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Process.Kill() })
	p.log = bufio.NewScanner(stderr)
	p.listening = awaitLine(t, p.log, "listening")
	return p
}

func TestSignalsEndTheProcessCleanly(t *testing.T) {
	for _, sig := range []os.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP} {
		p := startProcess(t)
		if err := p.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
		awaitLine(t, p.log, "stopped")
		if err := p.Wait(); err != nil {
			t.Errorf("%v: %v", sig, err)
		}
	}
}

func TestSecondSignalEndsTheProcessAtOnce(t *testing.T) {
	settings, holdUp := endlessRequest(t)
	p := startProcess(t, settings...)
	holdUp(t, &instance{listening: p.listening})
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	awaitLine(t, p.log, "shutting down")
	ended := make(chan error, 1)
	go func() { ended <- p.Wait() }()
	// The first of these may come before the process has gone back to default signals.
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		select {
		case err := <-ended:
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGTERM {
				t.Errorf("ended with %v", err)
			}
			return
		case <-again.C:
			_ = p.Process.Signal(syscall.SIGTERM)
		}
	}
}

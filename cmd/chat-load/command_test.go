//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"socketio-chat/cmd/chat-load/bench/floor"
)

func TestFlags(t *testing.T) {
	f, err := parseLoad(strings.Fields("--server http://127.0.0.1:1,http://127.0.0.1:2 --server http://127.0.0.1:3 --pid 1,2 "+
		"--clients 5 --in-flight 4 --transport upgrade --protocol 3 --ramp 1s --strict"), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	c := f.cfg
	if len(c.Servers) != 3 || len(c.PIDs) != 2 || c.Senders != 5 || c.InFlight != 4 || c.Rate != 0 || c.Transport != "upgrade" ||
		c.Protocol != 3 || c.Ramp != time.Second || !f.strict {
		t.Errorf("%+v", f)
	}
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
}

func TestDefaults(t *testing.T) {
	f, err := parseLoad([]string{"--server", "http://127.0.0.1:1"}, io.Discard)
	if err != nil || f.cfg.Senders != 10 || f.cfg.Rate != 100 {
		t.Errorf("%+v, %v", f, err)
	}
	if err := f.cfg.Validate(); err != nil {
		t.Error(err)
	}
	if f, err = parseLoad(strings.Fields("--server http://127.0.0.1:1 --senders 0"), io.Discard); err != nil || f.cfg.Rate != 0 {
		t.Errorf("%+v, %v", f, err)
	}
}

func TestWrongCommandLines(t *testing.T) {
	for _, line := range []string{
		"--no-such-flag", "stray", "--clients many", "--pid x --server http://127.0.0.1:1", "--server ,",
		"--server http://192.0.2.1:80", "--server http://127.0.0.1:1 --clients 1000000", "bench --repeats 99", "bench stray",
		"report", "report no-such-file.json", "bench --row nothing",
	} {
		if err := command(context.Background(), strings.Fields(line), io.Discard, io.Discard); err == nil || errors.Is(err, flag.ErrHelp) {
			t.Errorf("%s: %v", line, err)
		}
	}
}

// Every flag is explained.
func TestHelp(t *testing.T) {
	for _, line := range []string{"", "--help", "-h", "report --help", "bench --help", "floor --help"} {
		var b strings.Builder
		err := command(context.Background(), strings.Fields(line), &b, io.Discard)
		if err != nil && !errors.Is(err, flag.ErrHelp) || !strings.HasPrefix(b.String(), "chat-load") || strings.Contains(b.String(), "%!") {
			t.Errorf("%q: %v\n%.200s", line, err, b.String())
		}
	}
	for _, name := range []string{
		"server", "clients", "senders", "rate", "in-flight", "size", "transport", "protocol", "path", "namespace", "ramp", "connecting",
		"warmup", "duration", "drain", "await-joins", "watch", "pid", "json", "html", "label", "plain", "strict", "source", "threads", "allow-remote",
	} {
		if !strings.Contains(usage, "--"+name) {
			t.Errorf("--%s is not explained", name)
		}
	}
}

// From the command line to the page that compares two runs.
func TestLoadAndReport(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- floor.New(true, nil).Serve(ctx, ln) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	dir := t.TempDir()
	one, two, page := filepath.Join(dir, "1.json"), filepath.Join(dir, "2.json"), filepath.Join(dir, "out.html")
	load := "--server http://" + ln.Addr().String() + " --clients 10 --senders 2 --rate 200 --warmup 0s --duration 200ms --strict --json "
	for _, line := range []string{load + one + " --label before", load + two, "report " + one + " -o " + page + " " + two} {
		var b strings.Builder
		if err := command(ctx, strings.Fields(line), &b, io.Discard); err != nil {
			t.Fatalf("%s: %v\n%s", line, err, b.String())
		}
	}
	b, err := os.ReadFile(page)
	if err != nil || !strings.Contains(string(b), "before") || !strings.Contains(string(b), two) {
		t.Errorf("%v, %d bytes", err, len(b))
	}
}

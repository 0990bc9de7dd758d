package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"socketio-chat/pkg/config"
)

func TestDrainPlan(t *testing.T) {
	terminated, stop := context.WithCancel(t.Context())
	stop()
	interrupted, interrupt := context.WithCancelCause(t.Context())
	interrupt(errInterrupted)
	redis := []string{"REDIS_HOST=redis", "REDIS_PORT=6379"}
	const s = time.Second
	for name, tt := range map[string]struct {
		environ  []string
		stopping context.Context
		want     drainPlan
	}{
		"default":                  {redis, terminated, drainPlan{5 * s, 15 * s, 5 * s, false}},
		"interrupted":              {redis, interrupted, drainPlan{0, 0, 5 * s, true}},
		"failed":                   {redis, t.Context(), drainPlan{0, 0, 5 * s, false}},
		"alone":                    {nil, terminated, drainPlan{0, 0, 5 * s, false}},
		"alone, but told to drain": {[]string{"DRAIN_SECONDS=10"}, terminated, drainPlan{2 * s, 6 * s, 2 * s, false}},
		"off":                      {append(redis, "DRAIN_SECONDS=0"), terminated, drainPlan{0, 0, 5 * s, false}},
		"short":                    {append(redis, "DRAIN_SECONDS=1"), terminated, drainPlan{s / 5, 3 * s / 5, s / 5, false}},
		"long":                     {append(redis, "DRAIN_SECONDS=600"), terminated, drainPlan{10 * s, 585 * s, 5 * s, false}},
	} {
		cfg, err := config.Load(tt.environ, "")
		if err != nil {
			t.Fatal(err)
		}
		got := drainPlanFor(tt.stopping, cfg)
		if got != tt.want {
			t.Errorf("%s: %+v, want %+v", name, got, tt.want)
		}
		if total := cfg.HTTP.Drain; got.total() > max(total, farewell) {
			t.Errorf("%s: may take %v of %v", name, got.total(), total)
		}
	}
}

// The whole of it, from SIGTERM to code 0: readiness fails first while clients can still
// come, then nobody new gets in, and everybody is let go.
func TestDrain(t *testing.T) {
	p := startProcess(t, "DRAIN_SECONDS=3")
	in := &instance{listening: p.listening}
	alice := startPolling(t, in)
	alice.post("40/chat,")
	alice.pollUntil(joinNotice)
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	awaitLine(t, p.log, "waiting for the load balancer")
	if in.ready(t) {
		t.Error("ready while it drains")
	}
	bob := startPolling(t, in) // the balancer has not noticed yet
	bob.post("40/chat,", `42/chat,["msgToServer","last words"]`)
	bob.pollUntil("last words")
	alice.pollUntil("last words")

	alice.pollUntilLetGo() // let go, at some moment of the second step
	status, text := get(t, "http://"+in.listening.Addr+"/socket.io/?EIO=4&transport=polling")
	if status != http.StatusServiceUnavailable || !strings.Contains(text, "shutting down") {
		t.Errorf("a handshake in the drain: %d %s", status, text)
	}
	alice.post(`42/chat,["msgToServer","crossed the goodbye"]`) // is taken still
	bob.pollUntilLetGo()
	awaitLine(t, p.log, "clients are disconnected")
	awaitLine(t, p.log, "stopped")
	if err := p.Wait(); err != nil {
		t.Errorf("ended with %v", err)
	}
}

// With nobody there, there is nothing to wait for: this test would time out otherwise.
func TestDrainOfNobodyEndsAtOnce(t *testing.T) {
	p := startProcess(t, "DRAIN_SECONDS=3600")
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	awaitLine(t, p.log, "stopped")
	if err := p.Wait(); err != nil {
		t.Errorf("ended with %v", err)
	}
}

// What others leave unfinished is cut off and told, and is no failure of this process.
func TestWhatDoesNotEndIsNoFailure(t *testing.T) {
	for name, tt := range map[string]struct {
		unfinished func(*testing.T) (settings []string, begin func(*testing.T, *instance))
		told       string
	}{
		"a Redis that falls silent while messages wait for it": {silentRedis, "messages are not in the history: Redis did not take them in time"},
		"a request whose body never comes":                     {endlessRequest, "requests that did not end were cut off"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			settings, begin := tt.unfinished(t)
			p := startProcess(t, append(settings, "DRAIN_SECONDS=1")...)
			begin(t, &instance{listening: p.listening})
			if err := p.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			awaitLine(t, p.log, tt.told)
			awaitLine(t, p.log, "stopped")
			if err := p.Wait(); err != nil {
				t.Errorf("ended with %v", err)
			}
		})
	}
}

func silentRedis(t *testing.T) (settings []string, begin func(*testing.T, *instance)) {
	settings, server := startRedisProcess(t)
	return append(settings, "CHAT_HISTORY=10"), func(t *testing.T, in *instance) {
		eventually(t, "the cluster is joined", func() bool { return in.ready(t) })
		alice := startPolling(t, in)
		alice.post("40/chat,")
		alice.pollUntil(joinNotice)
		if err := server.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		alice.post(`42/chat,["msgToServer","for later"]`)
		alice.pollUntil("for later")
	}
}

func endlessRequest(*testing.T) (settings []string, begin func(*testing.T, *instance)) {
	return []string{"METRICS_ADDR=127.0.0.1:0"}, func(t *testing.T, in *instance) {
		c, err := net.Dial("tcp", in.listening.Metrics)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		// "100 Continue" comes when the handler waits for the body.
		fmt.Fprint(c, "POST /announce HTTP/1.1\r\nHost: chat\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n")
		if line, err := bufio.NewReader(c).ReadString('\n'); err != nil || !strings.Contains(line, "100") {
			t.Fatalf("%q, %v", line, err)
		}
	}
}

// Ctrl-C does not wait for a balancer, and the second SIGTERM waits for nothing.
func TestImpatience(t *testing.T) {
	for name, tt := range map[string]struct {
		first, second syscall.Signal
		code          int
	}{
		"Ctrl-C":         {first: syscall.SIGINT},
		"second SIGTERM": {first: syscall.SIGTERM, second: syscall.SIGTERM, code: -1},
	} {
		t.Run(name, func(t *testing.T) {
			p := startProcess(t, "DRAIN_SECONDS=3600")
			alice := startPolling(t, &instance{listening: p.listening})
			if err := p.Process.Signal(tt.first); err != nil {
				t.Fatal(err)
			}
			if tt.second == 0 {
				awaitLine(t, p.log, "waiting for clients to disconnect; Ctrl-C again ends at once")
				alice.pollUntilLetGo()
			} else {
				awaitLine(t, p.log, "waiting for the load balancer")
				if err := p.Process.Signal(tt.second); err != nil {
					t.Fatal(err)
				}
			}
			for p.log.Scan() { // up to its end
				continue
			}
			state, err := p.Process.Wait()
			if err != nil || state.ExitCode() != tt.code {
				t.Errorf("ended with %v, %v", state, err)
			}
		})
	}
}

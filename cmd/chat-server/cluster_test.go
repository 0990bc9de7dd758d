package main

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"socketio-chat/pkg/logs/logtest"
	"socketio-chat/pkg/testenv"
)

// startRedis starts a Redis of the test's own and returns the settings that lead to it.
func startRedis(t testing.TB) (settings []string) {
	t.Helper()
	settings, _ = startRedisProcess(t)
	return settings
}

// startRedisProcess returns the process, too. A forwarder gives it a port that nobody else can have taken.
func startRedisProcess(t testing.TB) (settings []string, process *os.Process) {
	t.Helper()
	socket, process := startRedisSocket(t)
	return addressOf(patchThrough(t, socket, 0)), process
}

// startRedisSocket starts a Redis that listens on a socket in a directory.
func startRedisSocket(t testing.TB) (socket string, process *os.Process) {
	t.Helper()
	testenv.Programs(t, "redis-server")
	socket = filepath.Join(t.TempDir(), "redis")
	server := exec.Command("redis-server", "--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no")
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Process.Kill(); _ = server.Wait() })
	client := redis.NewClient(&redis.Options{Network: "unix", Addr: socket})
	defer client.Close()
	eventually(t, "Redis answers", func() bool { return client.Ping(t.Context()).Err() == nil })
	return socket, server.Process
}

// patchThrough accepts connections on a free port and passes them on to a Unix socket, from a delay on: until then they wait.
func patchThrough(t testing.TB, socket string, delay time.Duration) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	begin := time.AfterFunc(delay, func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("unix", socket)
			if err != nil {
				in.Close()
				continue
			}
			context.AfterFunc(ctx, func() { in.Close(); out.Close() })
			go func() { _, _ = io.Copy(out, in); out.Close() }()
			go func() { _, _ = io.Copy(in, out); in.Close() }()
		}
	})
	t.Cleanup(func() { begin.Stop(); cancel(); l.Close() })
	return l
}

func addressOf(l net.Listener) []string {
	host, port, _ := net.SplitHostPort(l.Addr().String())
	return []string{"REDIS_HOST=" + host, "REDIS_PORT=" + port}
}

// eventually asks until the answer is yes. What it waits for has no event to wait for.
func eventually(t testing.TB, what string, yes func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	timeout := time.After(20 * time.Second)
	for !yes() {
		select {
		case <-tick.C:
		case <-timeout:
			t.Fatalf("not in time: %s", what)
		}
	}
}

// ready asks for /readyz.
func (in *instance) ready(t testing.TB) bool {
	status, _ := get(t, "http://"+in.listening.Addr+"/readyz")
	return status == http.StatusOK
}

func TestTwoInstancesOnOneRedis(t *testing.T) {
	t.Chdir(t.TempDir())
	settings := append(startRedis(t), "CHAT_JOIN_NOTICE=false")
	one, two := startInstance(t, settings...), startInstance(t, settings...)
	for _, in := range []*instance{one, two} {
		eventually(t, "instance is ready", func() bool { return in.ready(t) })
	}
	alice, bob := startPolling(t, one), startPolling(t, two)
	for _, p := range []*poller{alice, bob} {
		p.post("40/chat,")
		p.pollUntil("40/chat,{")
	}
	alice.post(`42/chat,["msgToServer",{"name":"alice","text":"안녕"}]`)
	bob.pollUntil(`42/chat,["msgToClient",{"name":"alice","text":"안녕"}]`)

	// What an instance was told before its end still crosses.
	alice.post(`42/chat,["msgToServer","bye"]`)
	one.stop()
	bob.pollUntil(`42/chat,["msgToClient","bye"]`)
	alice.pollUntilLetGo()
	if err := <-one.result; err != nil {
		t.Errorf("ended with %v", err)
	}
	if !two.ready(t) {
		t.Error("the other instance is not ready any more")
	}
}

// Clients come when what other instances say is heard and the others find this one; while Redis does not answer, they wait for that.
func TestJoinsBeforeClientsCome(t *testing.T) {
	for _, mode := range []string{"pubsub", "sharded", "streams"} {
		t.Run(mode, func(t *testing.T) {
			t.Chdir(t.TempDir())
			socket, _ := startRedisSocket(t)
			settings := addressOf(patchThrough(t, socket, 300*time.Millisecond))
			log := new(logtest.Buffer)
			in := startLogged(t, log, append(settings, "REDIS_ADAPTER="+mode, "DRAIN_SECONDS=0")...)
			if !in.ready(t) {
				t.Error("not ready")
			}
			in.stop()
			if err := <-in.result; err != nil {
				t.Error(err)
			}
			before, _, _ := strings.Cut(log.String(), `"listening"`)
			for _, step := range []string{"joined the cluster", "can be reached through the others"} {
				if !strings.Contains(before, step) {
					t.Errorf("it listened before %q:\n%s", step, log.String())
				}
			}
		})
	}
}

func TestWithoutItsRedis(t *testing.T) {
	t.Chdir(t.TempDir())
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody.Close()
	in := startInstance(t, append(addressOf(nobody), "DRAIN_SECONDS=0")...) // nothing comes back that it could wait for
	status, text := get(t, "http://"+in.listening.Addr+"/readyz")
	var answer struct {
		Status string
		Checks []struct {
			Name, Reason string
			Ready        bool
		}
	}
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		t.Fatal(err)
	}
	if status != http.StatusServiceUnavailable || len(answer.Checks) != 2 || answer.Checks[1].Name != "redis" ||
		answer.Checks[1].Ready || !strings.Contains(answer.Checks[1].Reason, "not joined") {
		t.Errorf("readyz: %d %s", status, text)
	}
	if status, _ := get(t, "http://"+in.listening.Addr+"/healthz"); status != http.StatusOK {
		t.Errorf("healthz: %d", status)
	}
	p := startPolling(t, in)
	p.post("40/chat,", `42/chat,["msgToServer","alone"]`)
	p.pollUntil(`["msgToClient","alone"]`)
	in.stop()
	p.pollUntilLetGo()
	if err := <-in.result; err != nil {
		t.Errorf("ended with %v", err)
	}
}

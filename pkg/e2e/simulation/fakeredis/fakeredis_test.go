package fakeredis

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"socketio-chat/pkg/e2e/simulation/line"
	"socketio-chat/pkg/testenv"
)

// A peer is a connection to a Redis, this one or the real one.
type peer struct {
	t    *testing.T
	conn net.Conn
	read *bufio.Reader
}

func newPeer(t *testing.T, conn net.Conn) *peer {
	t.Cleanup(func() { conn.Close() })
	return &peer{t, conn, bufio.NewReader(conn)}
}

// dial connects to s.
func dial(t *testing.T, s *Server) *peer {
	t.Helper()
	near, far, err := line.New(1).Connect()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Serve(far); err != nil {
		t.Fatal(err)
	}
	return newPeer(t, near)
}

// send sends a command, given as words.
func (p *peer) send(command string) {
	p.t.Helper()
	words := strings.Fields(command)
	text := fmt.Sprintf("*%d\r\n", len(words))
	for _, w := range words {
		text += fmt.Sprintf("$%d\r\n%s\r\n", len(w), w)
	}
	if _, err := io.WriteString(p.conn, text); err != nil {
		p.t.Fatalf("%s: %v", command, err)
	}
}

// answer reads one answer, as text in one line.
func (p *peer) answer() string {
	p.t.Helper()
	l, err := p.read.ReadString('\n')
	if err != nil {
		return err.Error()
	}
	l = strings.TrimSpace(l)
	n, _ := strconv.Atoi(l[1:])
	switch {
	case l[0] == '$' && n >= 0:
		b := make([]byte, n+2)
		if _, err := io.ReadFull(p.read, b); err != nil {
			return err.Error()
		}
		return string(b[:n])
	case l[0] == '*' && n >= 0:
		list := make([]string, n)
		for i := range list {
			list[i] = p.answer()
		}
		return "[" + strings.Join(list, " ") + "]"
	}
	return l
}

// conversations are commands of up to two connections, and how many answers, or messages, are read after each.
var conversations = []struct {
	who     string
	command string
	read    map[string]int
}{
	{"a", "PING", map[string]int{"a": 1}},
	{"a", "SELECT 0", map[string]int{"a": 1}},
	{"a", "GET k", map[string]int{"a": 1}},
	{"a", "SET k v EX 100", map[string]int{"a": 1}},
	{"a", "GET k", map[string]int{"a": 1}},
	{"a", "DEL k nothing", map[string]int{"a": 1}},
	{"a", "DEL k", map[string]int{"a": 1}},
	{"a", "GET", map[string]int{"a": 1}},
	{"a", "SET k v EX x", map[string]int{"a": 1}},
	{"b", "SUBSCRIBE one socket.io#/chat#", map[string]int{"b": 2}},
	{"b", "PSUBSCRIBE socket.io#/chat#*", map[string]int{"b": 1}},
	{"b", "SSUBSCRIBE shard", map[string]int{"b": 1}},
	{"a", "PUBSUB NUMSUB one none socket.io#/chat#", map[string]int{"a": 1}},
	{"a", "PUBSUB SHARDNUMSUB one shard", map[string]int{"a": 1}},
	{"a", "PUBSUB CHANNELS socket.io#*", map[string]int{"a": 1}},
	{"a", "PUBLISH one hello", map[string]int{"a": 1, "b": 1}},
	{"a", "PUBLISH socket.io#/chat#room# hello", map[string]int{"a": 1, "b": 1}},
	{"a", "PUBLISH socket.io#/chat# twice", map[string]int{"a": 1, "b": 2}},
	{"a", "PUBLISH shard nobody", map[string]int{"a": 1}},
	{"a", "SPUBLISH shard somebody", map[string]int{"a": 1, "b": 1}},
	{"b", "PING", map[string]int{"b": 1}},
	{"b", "UNSUBSCRIBE one", map[string]int{"b": 1}},
	{"b", "PUNSUBSCRIBE socket.io#/chat#*", map[string]int{"b": 1}},
	{"b", "SUNSUBSCRIBE shard", map[string]int{"b": 1}},
	{"a", "PUBLISH one nobody", map[string]int{"a": 1}},
	{"a", "XINFO STREAM s", map[string]int{"a": 1}},
	{"a", "XRANGE s - + COUNT 2", map[string]int{"a": 1}},
	{"a", "XREAD COUNT 2 STREAMS s 0-0", map[string]int{"a": 1}},
	{"a", "XADD s MAXLEN 3 * n 1", map[string]int{"a": 1}},
	{"a", "MULTI", map[string]int{"a": 1}},
	{"a", "XADD s MAXLEN ~ 300 * n 2 m x", map[string]int{"a": 1}},
	{"a", "XADD s MAXLEN 3 * n 3", map[string]int{"a": 1}},
	{"a", "XREAD COUNT 1 STREAMS s 0-0", map[string]int{"a": 1}},
	{"a", "EXEC", map[string]int{"a": 1}},
	{"a", "XADD s MAXLEN 3 * n 4", map[string]int{"a": 1}},
	{"a", "XLEN s", map[string]int{"a": 1}},
	{"a", "XRANGE s - +", map[string]int{"a": 1}},
	{"a", "XRANGE s - + COUNT 2", map[string]int{"a": 1}},
	{"a", "XREAD BLOCK 5 STREAMS s 99999999999999-0", map[string]int{"a": 1}},
	{"a", "XREAD STREAMS s x", map[string]int{"a": 1}},
	{"a", "XADD s * n", map[string]int{"a": 1}},
	{"a", "NONSENSE", map[string]int{"a": 1}},
}

var idOrHint = regexp.MustCompile(`\d{12,13}-\d+|, with args beginning with:.*|radix-tree-\w+ \d+`)

// talk has the conversation and returns what was said, without what differs from run to run.
func talk(a, b *peer) (said []string) {
	for _, c := range conversations {
		map[string]*peer{"a": a, "b": b}[c.who].send(c.command)
		for _, p := range []string{"a", "b"} {
			for range c.read[p] {
				answer := map[string]*peer{"a": a, "b": b}[p].answer()
				said = append(said, c.command+" → "+p+" "+idOrHint.ReplaceAllString(answer, ""))
			}
		}
	}
	return said
}

// TestAnswersAreRedis: word for word what redis-server says.
func TestAnswersAreRedis(t *testing.T) {
	testenv.Programs(t, "redis-server")
	sock := filepath.Join(t.TempDir(), "s")
	real := exec.Command("redis-server", "--port", "0", "--unixsocket", sock, "--save", "", "--dir", t.TempDir())
	if err := real.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = real.Process.Kill(); _ = real.Wait() }()
	there := func() *peer {
		for begin := time.Now(); time.Since(begin) < time.Minute; {
			if conn, err := net.Dial("unix", sock); err == nil {
				return newPeer(t, conn)
			}
			time.Sleep(time.Millisecond) // it announces itself to nobody
		}
		t.Fatal("redis-server does not start")
		return nil
	}
	want := talk(there(), there())
	synctest.Test(t, func(t *testing.T) {
		s := New()
		got := talk(dial(t, s), dial(t, s))
		for i, line := range want {
			if got[i] != line {
				t.Errorf("answered\n%s, Redis\n%s", got[i], line)
			}
		}
		s.Kill()
		s.Wait()
	})
}

func TestReadersWaitForEntries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New()
		reader, writer := dial(t, s), dial(t, s)
		reader.send("XREAD BLOCK 1000 STREAMS s 0-0")
		time.Sleep(500 * time.Millisecond)
		writer.send("XADD s * n 1")
		writer.answer()
		if got := reader.answer(); !strings.Contains(got, "[n 1]") {
			t.Errorf("got %s", got)
		}
		began := time.Now()
		reader.send("XREAD BLOCK 1000 STREAMS none 0-0")
		if got, took := reader.answer(), time.Since(began); got != "*-1" || took < time.Second || took > time.Second+10*time.Millisecond {
			t.Errorf("got %s after %v", got, took)
		}
		s.Kill()
		s.Wait()
	})
}

func TestStoppedRedisAnswersLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New()
		a := dial(t, s)
		began := time.Now()
		s.Stop(true)
		time.AfterFunc(time.Minute, func() { s.Stop(false) })
		a.send("PING")
		if got := a.answer(); got != "+PONG" || time.Since(began) < time.Minute {
			t.Errorf("got %s after %v", got, time.Since(began))
		}
		s.KillClients()
		if got := a.answer(); got != "EOF" {
			t.Errorf("got %s", got)
		}
		dial(t, s).send("PING")
		s.Kill()
		if near, far, _ := line.New(1).Connect(); s.Serve(far) == nil {
			t.Error("there is no process, and it serves")
			near.Close()
		}
		s.Wait()
	})
}

func TestWhatWasWrittenLastIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New()
		a := dial(t, s)
		for range 3 {
			for _, command := range []string{"XADD s * n 1", "SET k v", "SET brief v PX 1500"} {
				a.send(command)
				a.answer()
			}
			time.Sleep(time.Second)
		}
		if n := len(s.Keys("*", false)); n != 3 {
			t.Errorf("%d keys", n)
		}
		if n := len(s.Keys("*", true)); n != 2 {
			t.Errorf("%d keys for good", n)
		}
		s.Kill()
		s.Start(1500 * time.Millisecond)
		a = dial(t, s)
		for command, want := range map[string]string{"XLEN s": ":2", "GET k": "$-1", "GET brief": "$-1"} {
			a.send(command)
			if got := a.answer(); got != want {
				t.Errorf("%s: %s, want %s", command, got, want)
			}
		}
		s.Kill()
		s.Wait()
	})
}

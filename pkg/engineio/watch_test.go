//go:build linux

package engineio

import (
	"bufio"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// A program that computes lets others in, also on its only processor: Go's scheduler has to notice, though it is told of
// few system calls. The server has a process of its own, since the scheduler is told of a client's.
func TestComputingLetsOthersIn(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestComputingServer$")
	cmd.Env = append(os.Environ(), computes+"=1", "GOMAXPROCS=1")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
	}()
	addr, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the server did not tell where it listens: %v", err)
	}
	ws, res, err := websocket.DefaultDialer.DialContext(t.Context(), "ws://"+strings.TrimSpace(addr)+"/engine.io/?EIO=4&transport=websocket", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ws.Close()
	_ = res.Body.Close()
	_ = ws.SetReadDeadline(time.Now().Add(patience))
	says := func(want string) {
		t.Helper()
		if _, data, err := ws.ReadMessage(); err != nil || !strings.HasPrefix(string(data), want) {
			t.Fatalf("got %q, %v, want %q", data, err, want)
		}
	}
	ask := func(text string) {
		t.Helper()
		if err := ws.WriteMessage(websocket.TextMessage, []byte("4"+text)); err != nil {
			t.Fatal(err)
		}
	}
	says("0{")
	for range 2000 { // so that nothing but the connection has been at work for some time
		ask("hello")
		says("4hello")
	}
	ask("compute")
	says("4begins")
	ask("hello")
	says("4hello")
	says("4let others in")
}

const computes = "ENGINEIO_TEST_COMPUTES"

// TestComputingServer is the server of TestComputingLetsOthersIn, and no test by itself.
func TestComputingServer(t *testing.T) {
	if os.Getenv(computes) == "" {
		t.Skip("is started by TestComputingLetsOthersIn")
	}
	s := NewServer(Options{OnConnect: func(c *Conn) Receiver { return &computing{conn: c} }})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = os.Stdout.WriteString(l.Addr().String() + "\n")
	t.Fatal(http.Serve(s.Front(Lean(l), FrontOptions{Path: "/engine.io/", Handler: s}), s)) //nolint:gosec // until it is killed
}

// computing is a Receiver that computes when it is told to, until something else arrives.
type computing struct {
	conn *Conn
	over atomic.Bool
}

func (p *computing) Receive(data []byte, _ bool) {
	if string(data) == "hello" {
		p.over.Store(true)
		p.conn.Send(NewTextFrame([]byte("hello")))
		return
	}
	p.over.Store(false)
	go p.compute()
	p.conn.Send(NewTextFrame([]byte("begins")))
}

func (p *computing) compute() {
	for end := time.Now().Add(patience / 3); !p.over.Load(); {
		if time.Now().After(end) {
			p.conn.Send(NewTextFrame([]byte("kept others out")))
			return
		}
	}
	p.conn.Send(NewTextFrame([]byte("let others in")))
}

func (*computing) Closed(CloseReason, error) {}

package chaos

import (
	"bufio"
	"io"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long anything may take that must happen. It bounds failures only.
const patience = 60 * time.Second

// eventually asks until the answer is yes: for facts of other processes, which announce nothing.
func eventually(t testing.TB, what string, yes func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); !yes(); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for: %s", what)
		}
	}
}

// A process is a program that was started, and what it has printed.
type process struct {
	name  string
	cmd   *exec.Cmd
	stdin io.WriteCloser
	ended chan struct{} // closed when it has

	mu    sync.Mutex
	lines []string
	heed  func(line string) bool // is offered each line first, if set; what it takes is not kept
}

// start runs a program that ends with the test at the latest.
func start(t testing.TB, name string, heed func(string) bool, env []string, path string, args ...string) *process {
	t.Helper()
	p := &process{name: name, cmd: exec.Command(path, args...), ended: make(chan struct{}), heed: heed}
	p.cmd.Env = env
	p.cmd.Dir = t.TempDir()
	read, write := io.Pipe()
	p.cmd.Stdout, p.cmd.Stderr = write, write
	var err error
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	go p.keep(read)
	go func() {
		_ = p.cmd.Wait()
		_ = write.Close()
		close(p.ended)
	}()
	t.Cleanup(func() {
		p.signal(resumeSignal)
		p.kill()
		if t.Failed() {
			t.Logf("%s:\n%s", name, p.tail())
		}
	})
	return p
}

func (p *process) keep(out io.Reader) {
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if p.heed != nil && p.heed(lines.Text()) {
			continue
		}
		p.mu.Lock()
		p.lines = append(p.lines, lines.Text())
		p.mu.Unlock()
	}
}

func (p *process) tail() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.lines[max(0, len(p.lines)-40):], "\n")
}

// says waits for a line that contains the text.
func (p *process) says(t testing.TB, text string) (line string) {
	t.Helper()
	eventually(t, p.name+" says "+text, func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, l := range p.lines {
			if strings.Contains(l, text) {
				line = l
				return true
			}
		}
		select {
		case <-p.ended:
			t.Fatalf("%s ended before it said %q:\n%s", p.name, text, strings.Join(p.lines, "\n"))
		default:
		}
		return false
	})
	return line
}

// signal fails silently when the process has ended.
func (p *process) signal(s syscall.Signal) { _ = p.cmd.Process.Signal(s) }

// kill ends the process at once and waits for that.
func (p *process) kill() {
	p.signal(syscall.SIGKILL)
	<-p.ended
}

// wantEnd waits for an end with code 0.
func (p *process) wantEnd(t testing.TB) {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		t.Fatalf("%s does not end:\n%s", p.name, p.tail())
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("%s ended with %v:\n%s", p.name, p.cmd.ProcessState, p.tail())
	}
}

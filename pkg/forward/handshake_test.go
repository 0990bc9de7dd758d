package forward

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

func newSecrets(list ...string) *secrets {
	s := &secrets{}
	for _, text := range list {
		s.set([]byte(text))
	}
	return s
}

func TestHandshake(t *testing.T) {
	const self, other = "instance", "another_"
	for _, tt := range []struct {
		name         string
		front, owner *secrets
		to           string
		ok           bool
	}{
		{"the same secret", newSecrets("s"), newSecrets("s"), self, true},
		{"the front is one behind", newSecrets("s"), newSecrets("s", "t"), self, true},
		{"two behind", newSecrets("s"), newSecrets("s", "t", "u"), self, false},
		{"another secret", newSecrets("s"), newSecrets("t"), self, false},
		{"another instance", newSecrets("s"), newSecrets("s"), other, false},
		{"the front has none yet", newSecrets(), newSecrets("s"), self, false},
		{"the owner has none yet", newSecrets("s"), newSecrets(), self, false},
		{"nobody has any", newSecrets(), newSecrets(), self, false},
	} {
		front, owner := net.Pipe()
		checked := make(chan error, 1)
		go func() {
			checked <- tt.owner.check(owner, self)
			owner.Close()
		}()
		err := tt.front.prove(front, tt.to, other)
		front.Close()
		if (err == nil) != tt.ok || (<-checked == nil) != tt.ok || err != nil && !errors.Is(err, errDenied) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// A proof is good for one connection, and an owner's is none of a front.
func TestProofsCannotBeUsedAgain(t *testing.T) {
	s := newSecrets("s")
	const self, other = "instance", "another_"
	front, owner := net.Pipe()
	heard := make(chan string, 1)
	go func() {
		_, _ = io.WriteString(owner, greeting+strings.Repeat("n", nonceLen))
		var b [helloLen + macLen]byte
		_, _ = io.ReadFull(owner, b[:])
		heard <- string(b[:])
		owner.Close()
	}()
	if err := s.prove(front, self, other); !errors.Is(err, errDenied) {
		t.Errorf("an owner that proves nothing: %v", err)
	}
	proof := <-heard

	for name, text := range map[string]string{
		"replayed":      proof,
		"cut short":     proof[:len(proof)-1],
		"HTTP":          "GET / HTTP/1.1\r\nHost: x\r\n\r\n" + strings.Repeat(" ", 200),
		"nothing":       "",
		"all zero":      strings.Repeat("\x00", len(proof)),
		"mac of naught": self + other + strings.Repeat("n", nonceLen) + string(sign(nil)),
	} {
		front, owner := net.Pipe()
		go func() {
			_, _ = io.CopyN(io.Discard, front, int64(len(greeting)+nonceLen))
			_, _ = io.WriteString(front, text)
			front.Close()
		}()
		if err := s.check(owner, self); err == nil {
			t.Errorf("%s: let in", name)
		}
		owner.Close()
	}
}

// The internal listener serves nobody who has not proved himself, and closes
// with those who are about to.
func TestGate(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &counters{}
	g := newGate(l, newSecrets("s"), "instance", c)
	addr := l.Addr().String()
	stranger, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(stranger, "GET / HTTP/1.1\r\nHost: x\r\n\r\n%200s", "")
	if text, _ := io.ReadAll(stranger); len(text) > len(greeting)+nonceLen {
		t.Errorf("a stranger got %q", text)
	}
	stranger.Close()
	eventually(t, "the intruder is counted", func() bool { return c.intruders.Load() == 1 })

	p := newPeer("instance", addr, time.Now())
	link, err := p.get(t.Context(), newSecrets("s"), "another_")
	if err != nil {
		t.Fatal(err)
	}
	nc, err := g.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := nc.(*net.TCPConn); !ok {
		t.Errorf("the engine has short cuts for TCP, not for %T", nc)
	}

	// Kept, found alive, found dead.
	p.put(link)
	if again, err := p.get(t.Context(), newSecrets("s"), "another_"); again != link || err != nil {
		t.Errorf("not used again: %v", err)
	}
	p.put(link)
	nc.Close()
	eventually(t, "the end is noticed", func() bool { return !quiet(link.Conn) })
	if again, err := p.get(t.Context(), newSecrets("s"), "another_"); again == link || err != nil {
		t.Errorf("a dead connection: %v", err)
	} else {
		p.put(again)
	}
	p.trim(time.Now().Add(2 * idleTime))
	if len(p.idle) != 0 {
		t.Error("an old connection was kept")
	}

	waiting, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer waiting.Close()
	if _, err := io.ReadFull(waiting, make([]byte, len(greeting)+nonceLen)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := io.ReadAll(waiting); err != nil && !strings.Contains(err.Error(), "reset") {
		t.Error(err)
	}
	if _, err := g.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("accept after the end: %v", err)
	}
}

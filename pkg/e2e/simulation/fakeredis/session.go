package fakeredis

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
)

// A session is one connection.
type session struct {
	s      *Server
	conn   net.Conn
	number int

	// Guarded by the server's mutex.
	over                       bool
	patterns, channels, shards map[string]bool
	queued                     [][][]byte // of MULTI, nil: there is none
}

func newSession(s *Server, conn net.Conn) *session {
	s.begun++
	return &session{s: s, conn: conn, number: s.begun, patterns: map[string]bool{}, channels: map[string]bool{}, shards: map[string]bool{}}
}

func sortSessions(list []*session) {
	slices.SortFunc(list, func(a, b *session) int { return cmp.Compare(a.number, b.number) })
}

func slashless(s string) string { return strings.ReplaceAll(s, "/", "\x01") }

// run serves until the connection ends.
func (c *session) run() {
	defer func() {
		_ = c.conn.Close()
		c.s.mu.Lock()
		defer c.s.mu.Unlock()
		c.over = true
		delete(c.s.sessions, c)
	}()
	r := bufio.NewReader(c.conn)
	for {
		args, err := readCommand(r)
		if err != nil || !c.do(args) {
			return
		}
	}
}

// do runs a command, once the process is not stopped. It reports false when the session is over.
func (c *session) do(args [][]byte) bool {
	s := c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.stopped && !c.over {
		s.changed.Wait()
	}
	if c.over {
		return false
	}
	name := strings.ToUpper(string(args[0]))
	switch {
	case name == "MULTI":
		c.queued = [][][]byte{}
		c.reply(status("OK"))
	case name == "EXEC":
		answers := fmt.Appendf(nil, "*%d\r\n", len(c.queued))
		list := c.queued
		c.queued = nil
		for _, args := range list {
			answers = append(answers, c.command(strings.ToUpper(string(args[0])), args[1:])...)
		}
		c.reply(answers)
	case c.queued != nil:
		c.queued = append(c.queued, args)
		c.reply(status("QUEUED"))
	default:
		c.reply(c.command(name, args[1:]))
	}
	return !c.over
}

// reply sends what is there to send.
func (c *session) reply(b []byte) {
	if len(b) > 0 {
		_, _ = c.conn.Write(b) // its reader finds out
	}
}

// readCommand reads an array of strings.
func readCommand(r *bufio.Reader) (args [][]byte, err error) {
	n, err := readLength(r, '*')
	if err != nil {
		return nil, err
	}
	for range n {
		size, err := readLength(r, '$')
		if err != nil {
			return nil, err
		}
		b := make([]byte, size+2)
		if _, err := io.ReadFull(r, b); err != nil {
			return nil, err
		}
		args = append(args, b[:size])
	}
	return args, nil
}

// readLength reads a line of a mark and a number.
func readLength(r *bufio.Reader, mark byte) (int, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(strings.TrimSpace(line[1:]))
	if line[0] != mark || err != nil || n < 1 && mark == '*' || n < 0 || n > 1<<26 {
		return 0, fmt.Errorf("no command: %q", line)
	}
	return n, nil
}

// The answers there are.
func status(s string) []byte  { return []byte("+" + s + "\r\n") }
func failure(s string) []byte { return []byte("-" + s + "\r\n") }
func number(n int) []byte     { return fmt.Appendf(nil, ":%d\r\n", n) }

func bulk(b []byte) []byte {
	return append(append(fmt.Appendf(nil, "$%d\r\n", len(b)), b...), '\r', '\n')
}

var (
	null      = []byte("$-1\r\n")
	nullArray = []byte("*-1\r\n")
)

// raw is an answer that is encoded already.
type raw []byte

// array encodes strings, numbers and lists.
func array(items ...any) []byte {
	b := fmt.Appendf(nil, "*%d\r\n", len(items))
	for _, item := range items {
		switch v := item.(type) {
		case string:
			b = append(b, bulk([]byte(v))...)
		case []byte:
			b = append(b, bulk(v)...)
		case int:
			b = append(b, number(v)...)
		case raw:
			b = append(b, v...)
		}
	}
	return b
}

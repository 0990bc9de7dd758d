package socketio

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func recovering(o Options) Options {
	if o.Recovery.For == 0 {
		o.Recovery.For = 2 * time.Minute
	}
	return o
}

// A comer is a client of socket.io 4.6 or later: it keeps pid and offset for when it comes back.
type comer struct {
	*testClient
	server           *testServer
	nsp              string
	sid, pid, offset string
}

// newComer connects a client to a namespace; s may be another server than before.
func (s *testServer) newComer(tb testing.TB, nsp string) *comer {
	tb.Helper()
	c := &comer{server: s, nsp: nsp}
	c.connect(tb, s)
	return c
}

// connect asks for the session, if the client has one, and reports whether it got it.
func (c *comer) connect(tb testing.TB, s *testServer) (recovered bool) {
	tb.Helper()
	c.testClient, c.server = s.dial(tb, 4, ""), s
	c.ask()
	return c.answered()
}

func (c *comer) prefix() string { return strings.TrimPrefix(c.nsp+",", "/,") }

func (c *comer) ask() {
	c.tb.Helper()
	auth := map[string]string{}
	if c.pid != "" {
		auth["pid"] = c.pid
	}
	if c.offset != "" {
		auth["offset"] = c.offset
	}
	b, _ := json.Marshal(auth)
	c.send("0" + c.prefix() + string(b))
}

func (c *comer) answered() (recovered bool) {
	c.tb.Helper()
	m := c.next()
	var answer struct{ Sid, Pid string }
	rest, ok := strings.CutPrefix(m, "0"+c.prefix())
	if !ok || json.Unmarshal([]byte(rest), &answer) != nil || answer.Pid == "" {
		c.tb.Fatalf("got %q, want the answer to CONNECT", m)
	}
	recovered = c.pid == answer.Pid
	if recovered && c.sid != answer.Sid {
		c.tb.Errorf("recovered as %s, was %s", answer.Sid, c.sid)
	}
	c.sid, c.pid = answer.Sid, answer.Pid
	return recovered
}

// cut breaks the connection without a goodbye.
func (c *comer) cut() { c.conn.Close() }

// hear returns the next event's arguments, the name first, without the offset, which is kept as the
// client does it: whatever string comes last.
func (c *comer) hear() string {
	c.tb.Helper()
	m := c.next()
	return c.keep(m)
}

func (c *comer) keep(m string) string {
	c.tb.Helper()
	i := strings.IndexByte(m, '[')
	if i < 0 || m[0] != '2' && m[0] != '5' {
		c.tb.Fatalf("got %q, want an event", m)
	}
	list, err := Payload{JSON: []byte(m[i:])}.Elements()
	if err != nil || len(list) < 2 {
		c.tb.Fatalf("got %q, want an event with an offset: %v", m, err)
	}
	var offset string
	last := list[len(list)-1].JSON
	if json.Unmarshal(last, &offset) != nil {
		c.tb.Fatalf("got %q, whose last argument is no offset", m)
	}
	if _, ok := parseOffset(offset); !ok {
		c.tb.Fatalf("offset %q of %q", offset, m)
	}
	c.offset = offset
	return strings.TrimSuffix(m[i:], ","+string(last)+"]") + "]"
}

// wantEvents fails unless exactly these come next.
func (c *comer) wantEvents(events ...string) {
	c.tb.Helper()
	for _, want := range events {
		if got := c.hear(); got != want {
			c.tb.Fatalf("got  %s\nwant %s", got, want)
		}
	}
}

// wantNothing fails if anything was sent before what the server says now.
func (c *comer) wantNothing() {
	c.tb.Helper()
	c.server.Of(c.nsp).Broadcast("end")
	c.wantEvents(`["end"]`)
}

func refused(s *testServer, why Refusal) uint64 { return s.RecoveryStats().Refused[why] }

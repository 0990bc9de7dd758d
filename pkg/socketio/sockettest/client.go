package sockettest

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"socketio-chat/pkg/socketio"
)

// Patience is how long a Client waits for the server.
const Patience = 10 * time.Second

// queueLength is how many packets may wait until the test looks at them. The reader waits when there are more, as a slow client does.
const queueLength = 1024

// An Option changes how a Client connects.
type Option func(*dialer)

// Auth is what the client sends with its CONNECT, io("/game", {auth}).
func Auth(auth any) Option { return func(d *dialer) { d.auth = auth } }

// Query adds a parameter to the address, io("/game", {query}).
func Query(name, value string) Option { return func(d *dialer) { d.query.Add(name, value) } }

// Header adds a header to the handshake, io("/game", {extraHeaders}).
func Header(name, value string) Option { return func(d *dialer) { d.header.Add(name, value) } }

type dialer struct {
	auth   any
	query  url.Values
	header http.Header
}

// A Client is connected to one namespace.
type Client struct {
	// ID is the socket's, as the client knows it.
	ID string

	tb        testing.TB
	namespace string
	conn      net.Conn
	packets   chan packet // closed when the connection has ended
	stop      chan struct{}
	events    []packet // came while the test waited for something else
	nextID    uint64
}

// Connect connects to namespace of the server, which is a [*socketio.Server] or a handler around it, and joins it. It fails the test when
// the server refuses; see [Refused].
func Connect(tb testing.TB, server http.Handler, namespace string, options ...Option) *Client {
	tb.Helper()
	c, answer := dial(tb, server, namespace, options)
	if answer.kind != kindConnect {
		tb.Fatalf("joining %s: the server answered %s", namespace, answer)
	}
	var connected struct {
		Sid string `json:"sid"`
	}
	if err := json.Unmarshal(answer.data.JSON, &connected); err != nil {
		tb.Fatalf("joining %s: the answer %s has no id: %v", namespace, answer, err)
	}
	c.ID = connected.Sid
	return c
}

// Refused connects like [Connect], but the server has to refuse. It returns what a client gets as connect_error: the message, and the data
// of the error.
func Refused(tb testing.TB, server http.Handler, namespace string, options ...Option) (message string, data socketio.Payload) {
	tb.Helper()
	_, answer := dial(tb, server, namespace, options)
	if answer.kind != kindConnectError {
		tb.Fatalf("joining %s: the server answered %s, want it to refuse", namespace, answer)
	}
	var refusal struct {
		Message string           `json:"message"`
		Data    socketio.Payload `json:"data"`
	}
	if err := json.Unmarshal(answer.data.JSON, &refusal); err != nil {
		tb.Fatalf("joining %s: %s: %v", namespace, answer, err)
	}
	return refusal.Message, refusal.Data
}

// dial opens a connection and sends CONNECT. It returns the answer.
func dial(tb testing.TB, server http.Handler, namespace string, options []Option) (*Client, packet) {
	tb.Helper()
	d := dialer{query: url.Values{"EIO": {"4"}, "transport": {"websocket"}}, header: http.Header{}}
	for _, option := range options {
		option(&d)
	}
	c := &Client{tb: tb, namespace: namespace, packets: make(chan packet, queueLength), stop: make(chan struct{})}
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	dialWS := ws.Dialer{
		NetDial: func(context.Context, string, string) (net.Conn, error) { return pipe(tb, server), nil },
		Header:  ws.HandshakeHeaderHTTP(d.header),
	}
	conn, early, _, err := dialWS.Dial(ctx, "ws://in-process/socket.io/?"+d.query.Encode())
	if err != nil {
		tb.Fatalf("connecting to %s: %v", namespace, err)
	}
	c.conn = conn
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.read(withEarly(conn, early))
	}()
	tb.Cleanup(func() {
		close(c.stop)
		_ = conn.Close()
		<-done
	})
	auth := ""
	if d.auth != nil {
		b, err := json.Marshal(d.auth)
		if err != nil {
			tb.Fatalf("encoding auth: %v", err)
		}
		auth = string(b)
	}
	c.write(kindConnect, nil, socketio.Payload{JSON: []byte(auth)})
	return c, c.await("the answer to CONNECT", func(p packet) bool { return p.kind == kindConnect || p.kind == kindConnectError })
}

// Emit sends an event. Arguments are what an emit call of package socketio takes: values for encoding/json, []byte, a [socketio.Payload].
func (c *Client) Emit(event string, args ...any) {
	c.tb.Helper()
	c.write(kindEvent, nil, c.encode(append([]any{event}, args...)))
}

// Call sends an event that asks for an acknowledgement, waits for it, and returns its only argument; several come as one array, none as null.
func (c *Client) Call(event string, args ...any) socketio.Payload {
	c.tb.Helper()
	id := c.nextID
	c.nextID++
	c.write(kindEvent, &id, c.encode(append([]any{event}, args...)))
	answer := c.await("the acknowledgement of "+event, func(p packet) bool { return p.kind == kindAck && p.id != nil && *p.id == id })
	list, err := answer.data.Elements()
	switch {
	case err != nil:
		c.tb.Fatalf("the acknowledgement of %s: %v", event, err)
	case len(list) == 0:
		return socketio.Payload{}
	case len(list) == 1:
		return list[0]
	}
	return answer.data
}

// An Event is what the server emitted.
type Event struct {
	Name string
	Args []socketio.Payload

	client *Client
	id     *uint64
}

// Acknowledge answers an event that asks for it.
func (e Event) Acknowledge(args ...any) {
	e.client.tb.Helper()
	if e.id == nil {
		e.client.tb.Fatalf("the event %s asks for no acknowledgement", e.Name)
	}
	e.client.write(kindAck, e.id, e.client.encode(args))
}

// Next waits for the next event, whatever it is.
func (c *Client) Next() Event {
	c.tb.Helper()
	p := c.await("an event", func(p packet) bool { return p.kind == kindEvent })
	list, err := p.data.Elements()
	if err != nil || len(list) == 0 {
		c.tb.Fatalf("the event %s is no array that begins with a name: %v", p, err)
	}
	e := Event{Args: list[1:], client: c, id: p.id}
	if err := list[0].Decode(&e.Name); err != nil {
		c.tb.Fatalf("the event %s: %v", p, err)
	}
	return e
}

// Expect waits for the next event, which has to have this name, and decodes its first arguments into the values that into points to.
func (c *Client) Expect(event string, into ...any) Event {
	c.tb.Helper()
	e := c.Next()
	if e.Name != event {
		c.tb.Fatalf("got the event %s %s, want %s", e.Name, texts(e.Args), event)
	}
	if len(into) > len(e.Args) {
		c.tb.Fatalf("the event %s has the arguments %s, want at least %d", event, texts(e.Args), len(into))
	}
	for i, v := range into {
		if err := e.Args[i].Decode(v); err != nil {
			c.tb.Fatalf("argument %d of %s: %v", i, event, err)
		}
	}
	return e
}

// ExpectDisconnect waits until the server disconnects the client from the namespace, or ends the connection. Events that come before are
// skipped.
func (c *Client) ExpectDisconnect() {
	c.tb.Helper()
	c.events = nil
	deadline := time.After(Patience)
	for {
		select {
		case p, open := <-c.packets:
			if !open || p.kind == kindDisconnect {
				return
			}
		case <-deadline:
			c.tb.Fatalf("still connected to %s after %v", c.namespace, Patience)
		}
	}
}

// Disconnect leaves the namespace, as socket.disconnect() does.
func (c *Client) Disconnect() {
	c.tb.Helper()
	c.write(kindDisconnect, nil, socketio.Payload{JSON: []byte("")})
}

// Cut ends the connection without a word, as a lost network does.
func (c *Client) Cut() { _ = c.conn.Close() }

func (c *Client) encode(args []any) socketio.Payload {
	c.tb.Helper()
	p, err := socketio.EncodeData(args)
	if err != nil {
		c.tb.Fatalf("encoding: %v", err)
	}
	return p
}

// await returns the first packet that is wanted, and keeps the events before it for Next.
func (c *Client) await(what string, wanted func(packet) bool) packet {
	c.tb.Helper()
	for i, p := range c.events {
		if wanted(p) {
			c.events = append(c.events[:i:i], c.events[i+1:]...)
			return p
		}
	}
	deadline := time.After(Patience)
	for {
		select {
		case p, open := <-c.packets:
			switch {
			case !open:
				c.tb.Fatalf("the connection ended while the client waited for %s", what)
			case wanted(p):
				return p
			case p.kind == kindEvent:
				c.events = append(c.events, p)
			case p.kind == kindDisconnect:
				c.tb.Fatalf("the server disconnected the client from %s while it waited for %s", c.namespace, what)
			}
		case <-deadline:
			c.tb.Fatalf("%s did not come within %v", what, Patience)
		}
	}
}

func texts(args []socketio.Payload) string {
	var b strings.Builder
	for _, a := range args {
		b.Write(a.JSON)
		b.WriteByte(' ')
	}
	return strings.TrimSpace(b.String())
}

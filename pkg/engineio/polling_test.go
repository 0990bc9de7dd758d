package engineio

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestPollWaits(t *testing.T) {
	srv := serve(t, Options{})
	bob := dialPolling(t, srv, 4)
	server := srv.accept(t)

	poll := bob.startPoll()
	server.wantPolling(t)
	server.sendText("one")
	wantAnswer(t, poll, 200, "4one")

	// What comes between two polls waits, and stays in order.
	server.sendText("two")
	server.Send(NewTextFrame([]byte("three")), NewBinaryFrame([]byte{1, 2}), NewTextFrame([]byte("four")))
	bob.wantPoll(t, "4two\x1e4three\x1ebAQI=\x1e4four")

	// One connection serves a session for long.
	for i := range 50 {
		bob.post(t, numbered("", i))
		server.want(t, message(fmt.Sprint(i)))
		server.sendText(fmt.Sprint(i))
		bob.wantPoll(t, numbered("", i))
	}
}

// The answers to polls in each form, as Node's parsers make them.
func TestPollForms(t *testing.T) {
	const octets = "application/octet-stream"
	const plain, script = "text/plain; charset=UTF-8", "text/javascript; charset=UTF-8"
	ascii := []*Frame{NewTextFrame([]byte("a\"b"))}
	korean := []*Frame{NewTextFrame([]byte("안")), NewTextFrame([]byte("b"))}
	binary := []*Frame{NewTextFrame([]byte("€")), NewBinaryFrame([]byte{1, 2, 0xff})}
	for _, tt := range []struct {
		name        string
		protocol    int
		query       string
		frames      []*Frame
		contentType string
		body        string
	}{
		{"4", 4, "", korean, plain, "4안\x1e4b"},
		{"4, binary", 4, "", binary, plain, "4€\x1ebAQL/"},
		{"4, JSONP", 4, "&j=7", ascii, script, `___eio[7]("4a\"b");`},
		{"4, JSONP, binary", 4, "&j=0", binary, script, `___eio[0]("4€\u001ebAQL/");`},
		{"3", 3, "", ascii, plain, `4:4a"b`},
		{"3, text that old clients misread", 3, "", korean, octets, "\x00\x04\xff4안\x00\x02\xff4b"},
		{"3, binary", 3, "", binary, octets, "\x00\x04\xff4€\x01\x04\xff\x04\x01\x02\xff"},
		{"3, base64", 3, "&b64=1", binary, plain, "2:4€6:b4AQL/"},
		{"3, base64, Korean", 3, "&b64=1", korean, plain, "2:4안2:4b"},
		{"3, JSONP", 3, "&j=12", ascii, script, `___eio[12]("4:4a\"b");`},
		{"3, JSONP, binary", 3, "&j=3", binary, script, `___eio[3]("2:4€6:b4AQL/");`},
		{"JSONP, no script but ours", 4, "&j=" + url.QueryEscape(`0]);alert(1);//`), ascii, script, `___eio[01]("4a\"b");`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			srv := serve(t, Options{})
			bob := dialPolling(t, srv, tt.protocol, tt.query)
			srv.accept(t).Send(tt.frames...)
			res := bob.get(t)
			if res.body != tt.body || res.header.Get("Content-Type") != tt.contentType || res.header.Get("Cache-Control") != "no-store" {
				t.Errorf("got %q %v\nwant %q %q", res.body, res.header, tt.body, tt.contentType)
			}
		})
	}
}

// The bodies of POSTs in each form, and what becomes of them.
func TestPostForms(t *testing.T) {
	const octets = "application/octet-stream"
	form := func(d string) string { return "d=" + url.QueryEscape(d) }
	for _, tt := range []struct {
		name        string
		protocol    int
		query       string
		contentType string
		body        string
		received    []message
		ends        CloseReason // if it does
	}{
		{"4", 4, "", "text/plain", "4one\x1e4two\x1ebAQI=\x1e4three", []message{"one", "two", "binary 0102", "three"}, ""},
		{"4, undecodable at once", 4, "", "text/plain", "x", nil, ParseError},
		{"4, empty", 4, "", "text/plain", "", nil, ParseError},
		{"4, undecodable later", 4, "", "text/plain", "4one\x1ex\x1e4two", []message{"one"}, ParseError},
		{"4, close", 4, "", "text/plain", "4bye\x1e1\x1e4more", []message{"bye"}, TransportClose},
		{"4, ping is not the client's", 4, "", "text/plain", "2", nil, TransportError},
		{"4, unasked pong", 4, "", "text/plain", "3", nil, ""},
		{"4, open, upgrade and noop mean nothing", 4, "", "text/plain", "0\x1e5\x1e6\x1e4x", []message{"x"}, ""},
		{"4, JSONP", 4, "&j=0", "application/x-www-form-urlencoded", form("4a+b\x1e4c"), []message{"a+b", "c"}, ""},
		{"4, JSONP, line feeds", 4, "&j=0", "application/x-www-form-urlencoded", form(`4a\nb\\nc`), []message{"a\nb\\nc"}, ""},
		{"4, JSONP without data", 4, "&j=0", "application/x-www-form-urlencoded", "e=4", nil, ""},
		{"3", 3, "", "text/plain", "3:4안a2:4b8:b4AQL/AA", []message{"안a", "b", "binary 0102ff00"}, ""},
		{"3, surrogate pairs count two", 3, "", "text/plain", "4:4😀a2:4b", []message{"😀a", "b"}, ""},
		{"3, binary", 3, "", octets, "\x00\x04\xff4안\x01\x03\xff\x04\x01\x02", []message{"안", "binary 0102"}, ""},
		{"3, ping", 3, "", "text/plain", "1:2", nil, ""},
		{"3, pong is not the client's", 3, "", "text/plain", "1:3", nil, TransportError},
		{"3, undecodable", 3, "", "text/plain", "2:4a9:4", []message{"a"}, ParseError},
		{"3, empty", 3, "", "text/plain", "", nil, ParseError},
		{"3, close", 3, "", "text/plain", "1:12:4a", nil, TransportClose},
		{"3, JSONP", 3, "&j=0", "application/x-www-form-urlencoded", form("2:4a"), []message{"a"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			srv := serve(t, Options{})
			bob := dialPolling(t, srv, tt.protocol, tt.query)
			server := srv.accept(t)
			res := bob.do(http.MethodPost, tt.contentType, strings.NewReader(tt.body))
			if res.status != 200 || res.body != "ok" || res.header.Get("Content-Type") != "text/html" || res.header.Get("Cache-Control") != "no-store" {
				t.Errorf("answer: %d %q %v %v", res.status, res.body, res.header, res.err)
			}
			server.want(t, tt.received...)
			if tt.ends != "" {
				server.wantClosed(t, tt.ends)
				bob.wantGone(t)
			} else if !server.Open() {
				t.Error("the session is closed")
			}
		})
	}
}

// An octet stream on protocol 4 is no message (and crashed a server once).
func TestPostOctetsV4(t *testing.T) {
	srv := serve(t, Options{})
	bob := dialPolling(t, srv, 4)
	server := srv.accept(t)
	if res := bob.do(http.MethodPost, "application/octet-stream", strings.NewReader("4x")); res.status != 400 {
		t.Errorf("got %d", res.status)
	}
	server.wantClosed(t, TransportError)
	bob.wantGone(t)
}

func TestOverlappingPolls(t *testing.T) {
	srv := serve(t, Options{})
	bob := dialPolling(t, srv, 4)
	server := srv.accept(t)
	first := bob.startPoll()
	server.wantPolling(t)
	if res := bob.get(t); res.status != 400 || res.body != "" {
		t.Errorf("second poll: %d %q", res.status, res.body)
	}
	wantAnswer(t, first, 200, "1")
	server.wantClosed(t, TransportError)
	bob.wantGone(t)
}

func TestOverlappingPosts(t *testing.T) {
	srv := serve(t, Options{})
	bob := dialPolling(t, srv, 4)
	server := srv.accept(t)
	release := server.holdReceive()
	defer release()
	first := make(chan response, 1)
	go func() { first <- bob.tryPost("4first\x1e4never") }()
	server.want(t, "first") // and its Receive does not return
	if res := bob.tryPost("4second"); res.status != 400 || res.body != "" {
		t.Errorf("second post: %d %q", res.status, res.body)
	}
	release()
	wantAnswer(t, first, 200, "ok")
	server.wantClosed(t, TransportError)
	bob.wantGone(t)
}

// A client that goes while its poll is pending is gone.
func TestCutPoll(t *testing.T) {
	for protocol := 3; protocol <= 4; protocol++ {
		srv := serve(t, Options{})
		bob := dialPolling(t, srv, protocol)
		server := srv.accept(t)
		nc := dialRaw(t, srv)
		fmt.Fprintf(nc, "GET /engine.io/?EIO=%d&transport=polling&sid=%s HTTP/1.1\r\nHost: x\r\n\r\n", protocol, bob.sid)
		server.wantPolling(t)
		_ = nc.Close()
		server.wantClosed(t, TransportError)
	}
}

// So is one that goes in the middle of a POST; nothing of the POST counts.
func TestCutPost(t *testing.T) {
	srv := serve(t, Options{})
	for _, body := range []string{
		"Content-Length: 100\r\n\r\n4some",
		"Transfer-Encoding: chunked\r\n\r\n5\r\n4some\r\n",
		"Transfer-Encoding: chunked\r\n\r\n5\r\n4some\r\nnonsense\r\n",
	} {
		bob := dialPolling(t, srv, 4)
		server := srv.accept(t)
		nc := dialRaw(t, srv)
		fmt.Fprintf(nc, "POST /engine.io/?EIO=4&transport=polling&sid=%s HTTP/1.1\r\nHost: x\r\n%s", bob.sid, body)
		if err := nc.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, nc)
		server.wantClosed(t, TransportError)
	}
}

// A POST that never ends takes no longer than a client may be silent.
func TestSlowPost(t *testing.T) {
	srv := serve(t, Options{PingInterval: 40 * time.Millisecond, PingTimeout: 40 * time.Millisecond})
	bob := dialPolling(t, srv, 4)
	server := srv.accept(t)
	nc := dialRaw(t, srv)
	fmt.Fprintf(nc, "POST /engine.io/?EIO=4&transport=polling&sid=%s HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n4some", bob.sid)
	if _, err := io.Copy(io.Discard, nc); err != nil { // until the server ends the connection
		t.Errorf("the server keeps a POST that does not end: %v", err)
	}
	if e := <-server.ended; e.reason != PingTimeout && e.reason != TransportError {
		t.Errorf("closed with %q", e.reason)
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// A body that is compressed is not taken for what it unpacks to: there is no
// compression on POSTs, so there is no bomb.
func TestPostCompressed(t *testing.T) {
	srv := serve(t, Options{})
	bob := dialPolling(t, srv, 4)
	server := srv.accept(t)
	req, _ := http.NewRequest(http.MethodPost, bob.url, strings.NewReader("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"))
	req.Header.Set("Content-Encoding", "gzip")
	if res := roundTrip(bob.http, req); res.status != 200 {
		t.Errorf("got %d %v", res.status, res.err)
	}
	server.wantClosed(t, ParseError)
}

func TestClientCloses(t *testing.T) {
	for protocol, packet := range map[int]string{3: "1:1", 4: "1"} {
		srv := serve(t, Options{})
		bob := dialPolling(t, srv, protocol)
		server := srv.accept(t)
		poll := bob.startPoll()
		server.wantPolling(t)
		bob.post(t, packet)
		wantAnswer(t, poll, 200, map[int]string{3: "1:6", 4: "6"}[protocol])
		server.wantClosed(t, TransportClose)
		bob.wantGone(t)
	}
}

func TestServerClosesPolling(t *testing.T) {
	t.Run("pending poll", func(t *testing.T) {
		srv := serve(t, Options{})
		bob := dialPolling(t, srv, 4)
		server := srv.accept(t)
		poll := bob.startPoll()
		server.wantPolling(t)
		server.Close()
		wantAnswer(t, poll, 200, "1")
		server.wantClosed(t, ForcedClose)
		bob.wantGone(t)
	})
	t.Run("next poll", func(t *testing.T) {
		srv := serve(t, Options{})
		bob := dialPolling(t, srv, 3)
		server := srv.accept(t)
		server.sendText("last words")
		server.Close()
		if server.Open() || server.sendText("too late") {
			t.Error("a closing connection takes frames")
		}
		bob.post(t, "2:4x") // taken and not handed over
		bob.wantPoll(t, "11:4last words1:1")
		server.wantClosed(t, ForcedClose)
	})
	t.Run("discard", func(t *testing.T) {
		srv := serve(t, Options{})
		bob := dialPolling(t, srv, 4)
		server := srv.accept(t)
		server.sendText("lost")
		server.Discard()
		server.wantClosed(t, ForcedClose)
		bob.wantGone(t)
	})
}

// Packets of a large answer are whole, and nothing large stays behind.
func TestLargePoll(t *testing.T) {
	srv := serve(t, Options{QueueBytes: 8 << 20})
	bob := dialPolling(t, srv, 3)
	server := srv.accept(t)
	data := bytes.Repeat([]byte{0xf0, 0x9f, 0x98, 0x80}, 500_000)
	for range 2 {
		server.Send(NewTextFrame(data), NewBinaryFrame(data))
		bob.wantPoll(t, fmt.Sprintf("\x00%s\xff4%s\x01%s\xff\x04%s", digits(len(data)+1), data, digits(len(data)+1), data))
	}
}

// digits is a number in the digits of the binary payload of protocol 3.
func digits(n int) string {
	s := []byte(fmt.Sprint(n))
	for i := range s {
		s[i] -= '0'
	}
	return string(s)
}

// The answer that opens a session has the open packet alone, whatever is sent by
// then; a client learns the rest with its first poll.
func TestOpeningAnswer(t *testing.T) {
	done := make(chan struct{})
	srv := NewServer(Options{OnConnect: func(c *Conn) Receiver {
		c.Send(NewTextFrame([]byte("a")), NewTextFrame([]byte("b")))
		return endReceiver(done)
	}})
	web := httptest.NewServer(srv)
	defer web.Close()
	url := web.URL + "/?EIO=4&transport=polling"
	get := func() string {
		res, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	open := get()
	if !strings.HasPrefix(open, "0{") || strings.ContainsRune(open, '\x1e') {
		t.Errorf("opened with %q", open)
	}
	url += "&sid=" + sid(open)
	if got := get(); got != "4a\x1e4b" {
		t.Errorf("polled %q", got)
	}
	res, err := http.Post(url, "text/plain", strings.NewReader("1")) // the close packet
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	<-done
	if err := srv.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// endReceiver is closed with its connection.
type endReceiver chan struct{}

func (endReceiver) Receive([]byte, bool)        {}
func (e endReceiver) Closed(CloseReason, error) { close(e) }

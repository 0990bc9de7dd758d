//go:build linux

package engineio

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"socketio-chat/pkg/blankline"
)

// An oddRequest is a line of testdata/odd_requests.jsonl, which says how to read it.
type oddRequest struct {
	Name    string
	Session int
	Request string // bytes as Latin-1
	V3, V4  []string
}

func oddRequests(t testing.TB) (list []oddRequest) {
	t.Helper()
	text, err := os.ReadFile("testdata/odd_requests.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(text) {
		var o oddRequest
		if err := json.Unmarshal(line, &o); err != nil {
			t.Fatal(err)
		}
		o.Request = fromLatin1(o.Request)
		list = append(list, o)
	}
	return list
}

func fromLatin1(s string) string {
	b := make([]byte, 0, len(s))
	for _, r := range s {
		b = append(b, byte(r))
	}
	return string(b)
}

// oddWait is how long a request may take before it counts as one that waits for more, and is not answered: longer than a busy machine
// pauses.
const oddWait = 1500 * time.Millisecond

// oddPatience bounds what hangs.
const oddPatience = 5 * time.Second

const another = "GET /another HTTP/1.1\r\nHost: chat.example\r\nConnection: close\r\n\r\n"

// resets is how often a request is sent again whose connection was reset.
const resets = 10

// talk sends a request and, when it has been answered, another one: what came is told as
// in the recording. With syscall.ECONNRESET an answer may be missing: a server that ends the
// connection while the other request is on its way takes back what it has said.
func talk(addr, request string) (answers []string, err error) {
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	defer nc.Close()
	_ = nc.SetDeadline(time.Now().Add(oddPatience))
	if _, err := io.WriteString(nc, request); err != nil {
		return nil, err
	}
	method, _, _ := strings.Cut(strings.TrimLeft(request, "\r\n"), " ")
	in := bufio.NewReader(nc)
	_ = nc.SetReadDeadline(time.Now().Add(oddWait))
	_, waits := in.Peek(1)
	_ = nc.SetReadDeadline(time.Now().Add(oddPatience))
	for asked := false; ; {
		if waits != nil && !asked {
			ask(nc)
			asked = true
		}
		answer, last, err := nextAnswer(in, method)
		method = "" // HEAD can be the first only
		if err != nil {
			var late net.Error
			if errors.As(err, &late) && late.Timeout() || errors.Is(err, syscall.ECONNRESET) {
				return answers, err
			}
			return answers, nil
		}
		if answer == "404 elsewhere" && asked {
			answer = "…"
		}
		answers = append(answers, answer)
		if answer == "101" {
			return answers, nil
		}
		if !last && !asked && answer != "100" {
			ask(nc)
			asked = true
		}
	}
}

func ask(nc net.Conn) {
	_, _ = io.WriteString(nc, another) // it may have been closed
	_ = nc.(*net.TCPConn).CloseWrite()
}

// nextAnswer also tells whether it is the last.
func nextAnswer(in *bufio.Reader, method string) (answer string, last bool, err error) {
	res, err := http.ReadResponse(in, &http.Request{Method: method})
	if err != nil {
		return "", false, err
	}
	status := strconv.Itoa(res.StatusCode)
	if res.StatusCode < 200 {
		return status, res.Close, nil
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return "", false, err
	}
	kinds := []struct{ part, kind string }{{`"sid"`, "open"}, {"pingInterval", ""}, {`"code":0`, "code 0"}, {`"code":1`, "code 1"}, {`"code":2`, "code 2"}, {`"code":3`, "code 3"},
		{"hi", "hi"}, {"4a", "echo"}, {"4b", "echo"}, {"4c", "echo"}, {"4x", "echo"}, {"elsewhere", "elsewhere"}}
	if string(body) == "ok" {
		return status + " ok", res.Close, nil
	}
	for _, k := range kinds {
		if bytes.Contains(body, []byte(k.part)) {
			return strings.TrimSpace(status + " " + k.kind), res.Close, nil
		}
	}
	return status, res.Close, nil
}

// oddServers are a server with the front and one without, which behave as the recorder's.
func oddServers(t *testing.T) (servers [2]*testServer) {
	for i := range servers {
		s := newTestServer(Options{})
		keep := s.Server.opts.OnConnect
		s.Server.opts.OnConnect = func(c *Conn) Receiver {
			r := keep(c)
			r.(*peer).echo()
			c.Send(NewTextFrame([]byte("hi")))
			return r
		}
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasPrefix(r.URL.Path, "/engine.io/") {
				http.Error(w, "elsewhere", http.StatusNotFound)
				return
			}
			s.Server.ServeHTTP(w, r)
		})
		s.http = httptest.NewUnstartedServer(blankline.Handler(h))
		s.http.Config.ConnContext = blankline.Context
		if i == 0 {
			s.http.Listener = s.Front(s.http.Listener, FrontOptions{Path: "/engine.io/", Handler: h})
		}
		s.http.Listener = blankline.Listen(s.http.Listener)
		s.http.Start()
		s.closeWith(t)
		servers[i] = s
	}
	return servers
}

// testdata/record_odd_requests.cjs has made the requests. The front, net/http and Node's servers
// tell each the same, but for what differsFromNode lists.
func TestOddRequests(t *testing.T) {
	servers := oddServers(t)
	var unlike sync.Map // of differsFromNode, what was met
	work := make(chan oddRequest)
	var workers sync.WaitGroup
	for range 8 {
		workers.Go(func() {
			for o := range work {
				o.check(t, servers, &unlike)
			}
		})
	}
	for _, o := range oddRequests(t) {
		work <- o
	}
	close(work)
	workers.Wait()
	for change := range differsFromNode {
		if _, met := unlike.Load(change); !met {
			t.Errorf("nothing differs for %q any more", change)
		}
	}
	for _, s := range servers {
		s.each((*Conn).Discard)
	}
}

// send sends the request to a server, in a session of its own if it names one.
func (o oddRequest) send(s *testServer) (answers []string, err error) {
	sid := "none"
	if o.Session != 0 {
		res := request(&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, "GET", s.url("http", fmt.Sprintf("EIO=%d&transport=polling", o.Session)), "", nil)
		_, rest, _ := strings.Cut(res.body, `"sid":"`)
		sid, _, _ = strings.Cut(rest, `"`)
	}
	return talk(s.addr(), strings.NewReplacer("PSID", escaped(sid), "SID", sid).Replace(o.Request))
}

// escaped is text with each character as in a query that is very careful.
func escaped(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		fmt.Fprintf(&b, "%%%02x", c)
	}
	return b.String()
}

func (o oddRequest) check(t *testing.T, servers [2]*testServer, unlike *sync.Map) {
	var got [2][]string
	for i, s := range servers {
		answers, err := o.send(s)
		for n := 0; n < resets && errors.Is(err, syscall.ECONNRESET); n++ {
			answers, err = o.send(s)
		}
		if err != nil && !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("%s: %v", o.Name, err)
		}
		got[i] = answers
	}
	if !slices.Equal(got[0], got[1]) {
		t.Errorf("%s: the front says %q, net/http %q", o.Name, got[0], got[1])
	}
	if o.agrees(got[1]) {
		return
	}
	for change := range differsFromNode {
		if strings.Contains(o.Name, change) {
			unlike.Store(change, true)
			return
		}
	}
	t.Errorf("%s: ours %q, Node 2.4.1 %q, 4.8.4 %q", o.Name, got[1], o.V3, o.V4)
}

// agrees tells that one of Node's servers says the same, or that all refuse.
func (o oddRequest) agrees(got []string) bool {
	if slices.Equal(got, o.V4) || o.Session != 4 && slices.Equal(got, o.V3) {
		return true
	}
	return !letIn(got) && !letIn(o.V4) && !letIn(o.V3)
}

func letIn(answers []string) bool {
	return len(answers) > 0 && (answers[0] == "101" || strings.HasPrefix(answers[0], "200"))
}

// differsFromNode lists the changes, by a part of their name, that are told something else than by
// Node's servers, and why.
var differsFromNode = map[string]string{
	// Refused here: RFC 9112 demands it, or what lies between client and server may read it otherwise.
	"Host: ":               "no Host, two, or one that is none: 400 (RFC 9112, 3.2)",
	"two spaces":           "a request line has single spaces (RFC 9112, 3)",
	"the version \"HTTP/2": "is not HTTP/1: 505",
	"the version \"HTTP/0": "is not HTTP/1: 505",
	`version "013"`:        "Node takes it for a number of JavaScript",
	`version "13.0"`:       "the same",
	`version "0xd"`:        "the same",
	"gzip, chunked":        "Node would take the compressed bytes for the text",

	// Let in here: Node is stricter than RFC 9112, and nothing else can be meant.
	"lines that end with LF":     "a server may take LF for the end of a line (RFC 9112, 2.2)",
	"folding":                    "a server may read a folded field as one line (RFC 9112, 5.2)",
	"an LF in a value":           "the same LF",
	"a leading space":            "the same folding",
	`the version "HTTP/1.2`:      "is served as 1.1 (RFC 9110, 2.5)",
	"http://chat.example":        "a server must take the absolute form (RFC 9112, 3.2.2)",
	"HTTP://chat.example":        "the same: a scheme has no case (RFC 3986, 3.1)",
	"https://other":              "the same, whatever the authority is: there is one site here",
	"http://u:p@":                "the same",
	"of protocol 4: subprotocol": "socket.io 2.4.1 bears lists with empty elements, 4.8.4 does not; here the protocol is not known that early",
	"%2eio":                      "is the same path (RFC 3986, 6.2.2.2)",
	"/engine.io%2F":              "nothing else is served there, and net/http does not tell it from the same path",
	"é":                          "bytes outside ASCII in a query say what they say",
	"í":                          "the same",
	`"\tUpgrade \t"`:             "a value may have tabs around it (RFC 9110, 5.5)",
	"with Connection: h2c":       "an upgrade that is not known may be ignored (RFC 9110, 7.8)",
	"preflight":                  "Node's servers were recorded without the cors option, which answers so",
	"the method OPTIONS":         "the same",
	"Expect: ":                   "says nothing",
	`length "4" and "4"`:         "the same length twice is one length (RFC 9112, 6.3)",

	// Refused earlier here.
	"transport=websocket as transport=polling": "a WebSocket for a transport that is none: 400; Node opens it and closes it at once",

	// Bytes behind the request, which Node and net/http take for the beginning of another one.
	"Upgrade without Connection": "what is behind an Upgrade is left as it is",
	"a space behind it":          "the first request is whole and answered",
	"no length":                  "the same: the body is none",
	`length "0"`:                 "the same",
	"an empty chunk":             "the same: the last chunk comes twice",
	`length "3"`:                 "the same",

	// Several requests.
	"three POSTs": "Node 3.5 takes POSTs that follow each other for an overlap, and ends the session",
	"two POSTs":   "the same",
	"a POST behind a poll that waits": "the poll is answered with nothing, the POST taken, and its effect told by the next poll;" +
		" Node takes the POST first",
	"two polls, one waits":      "the same; to Node they overlap, which ends the session",
	"a WebSocket behind a POST": "Node drops the answer to the POST",
}

package forward

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"

	"socketio-chat/pkg/engineio"
)

// What a client gets by way of another instance is what the owner itself would
// have answered, header and body.
func TestAnswersAreTheSame(t *testing.T) {
	list := cluster(t, 2, Options{MaxBody: 2000}, engineio.Options{MaxPayload: 2000})
	owner, front := list[0], list[1]
	v3, v4 := owner.open(t, "EIO=3&b64=1"), owner.open(t, "EIO=4")
	jsonp, octets := owner.open(t, "EIO=4&j=0"), owner.open(t, "EIO=3")
	gone := owner.open(t, "EIO=4")
	for range 4 {
		owner.accept(t)
	}
	owner.accept(t).Discard()
	eventually(t, "the session is over", func() bool { return owner.engine.Len() == 4 })

	for _, tt := range []struct {
		name, method, query, sid, body string
		header                         []string
	}{
		{"post", "POST", "EIO=4", v4, "4a\x1e4안녕", []string{"Content-Type", "text/plain;charset=UTF-8", "Origin", "http://page"}},
		{"poll", "GET", "EIO=4", v4, "", []string{"Origin", "http://page"}},
		{"post of protocol 3", "POST", "EIO=3&b64=1", v3, "8:4안녕하세요요요", []string{"Origin", "http://page"}},
		{"poll with credentials", "GET", "EIO=3&b64=1", v3, "", []string{"Origin", "http://page", "Cookie", "a=b"}},
		{"binary post of protocol 3", "POST", "EIO=3", octets, "\x01\x04\xff\x04\x00\x01\x80", []string{"Content-Type", "application/octet-stream"}},
		{"binary poll of protocol 3", "GET", "EIO=3", octets, "", nil},
		{"JSONP post", "POST", "EIO=4&j=7", jsonp, "d=4%22%E2%80%A8%22", []string{"Content-Type", "application/x-www-form-urlencoded"}},
		{"JSONP poll", "GET", "EIO=4&j=7", jsonp, "", nil},
		{"wrong protocol", "GET", "EIO=3", v4, "", nil},
		{"session that is over", "GET", "EIO=4", gone, "", nil},
		{"other method", "PUT", "EIO=4", v4, "x", nil},
		{"no body but its header", "HEAD", "EIO=4", v4, "", nil},
		{"body over the limit", "POST", "EIO=4", "", "4" + strings.Repeat("x", 2000), nil},
		{"chunked body", "POST", "EIO=4", v4, "4chunks", []string{"Chunked", "yes"}},
		{"chunked answer's poll", "GET", "EIO=4", v4, "", nil},
		{"chunked body over the limit", "POST", "EIO=4", "", "4" + strings.Repeat("x", 3000), []string{"Chunked", "yes"}},
		{"preflight", "OPTIONS", "EIO=4", v4, "", []string{"Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "x-a"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ask := func(in *instance) response {
				body := io.Reader(strings.NewReader(tt.body))
				if len(tt.header) > 0 && tt.header[0] == "Chunked" {
					body = io.MultiReader(body) // of a length that net/http cannot know
				}
				sid := tt.sid
				if sid == "" { // it ends its session
					sid = owner.open(t, tt.query)
				}
				res, err := try(context.Background(), tt.method, in.url(tt.query, sid), body, tt.header...)
				if err != nil {
					t.Fatal(err)
				}
				res.header.Del("Date")
				return res
			}
			direct := ask(owner)
			if tt.method == "GET" && direct.status == 200 { // the poll took it: once more
				do(t, "POST", owner.url(tt.query, tt.sid), lastPost(tt.query, tt.name), contentType(tt.name)...)
			}
			forwarded := ask(front)
			if !reflect.DeepEqual(direct, forwarded) {
				t.Errorf("direct    %+v\nforwarded %+v", direct, forwarded)
			}
			if tt.method == "POST" && direct.body == "ok" { // leave one message for the next row
				do(t, "GET", owner.url(tt.query, tt.sid), "")
				do(t, "POST", owner.url(tt.query, tt.sid), lastPost(tt.query, tt.name), contentType(tt.name)...)
			}
		})
	}
}

// A body that is far too long is refused by its length: nobody waits for it.
func TestFarTooLong(t *testing.T) {
	list := cluster(t, 2, Options{MaxBody: 2000}, engineio.Options{MaxPayload: 2000})
	for _, in := range list {
		sid := list[0].open(t, "EIO=4") // it ends with that
		nc, err := net.Dial("tcp", strings.TrimPrefix(in.http.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		fmt.Fprintf(nc, "POST /?EIO=4&transport=polling&sid=%s HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\n4", sid)
		res, err := http.ReadResponse(bufio.NewReader(nc), nil)
		if err != nil || res.StatusCode != 413 {
			t.Errorf("got %+v, %v", res, err)
		}
	}
	if s := list[1].Stats(); s.Posts != 1 {
		t.Errorf("%+v", s)
	}
}

func lastPost(query, name string) string {
	switch {
	case strings.Contains(name, "binary"):
		return "\x01\x04\xff\x04\x00\x01\x80"
	case strings.Contains(query, "j="):
		return "d=4%22%E2%80%A8%22"
	case strings.Contains(query, "EIO=3"):
		return "3:4안녕"
	}
	return "4안녕"
}

func contentType(name string) []string {
	if strings.Contains(name, "binary") {
		return []string{"Content-Type", "application/octet-stream"}
	}
	return nil
}

// The owner sees the client's address and header, and nothing that the client
// made up about either.
func TestTheOwnerSeesTheClient(t *testing.T) {
	newClient := startRedis(t)
	seen := make(chan *http.Request, 1)
	owner := stub(t, newClient(), func(w http.ResponseWriter, r *http.Request) { seen <- r })
	front := join(t, newClient(), Options{}, engineio.Options{})
	eventually(t, "both are registered", func() bool { return owner.Stats().Registered && front.Stats().Registered })
	url := front.url("EIO=4", owner.NewID())
	do(t, "GET", url+"&x=%2f+%7e", "", "X-Forwarded-For", "192.0.2.1", headerAddr, "192.0.2.9:1", headerTLS, "1",
		"Connection", "X-Forwarded-For", "Cookie", "a=b; c=d", "Te", "trailers")
	r := <-seen
	if !strings.HasPrefix(r.RemoteAddr, "127.0.0.1:") || r.TLS != nil || !FromPeer(r.Context()) {
		t.Errorf("address %q, TLS %v", r.RemoteAddr, r.TLS)
	}
	if r.Host != strings.TrimPrefix(front.http.URL, "http://") || !strings.HasSuffix(r.RequestURI, "&x=%2f+%7e") {
		t.Errorf("host %q, target %q", r.Host, r.RequestURI)
	}
	if h := r.Header; h.Get("X-Forwarded-For") != "192.0.2.1" || h.Get("Cookie") != "a=b; c=d" || h.Get("Te") != "" || h.Get(headerAddr) != "" {
		t.Errorf("header %v", h)
	}
	if s := front.Stats(); s.Polls != 1 {
		t.Errorf("%+v", s)
	}
}

// stub is an instance without an engine.
func stub(t testing.TB, client redisClient, h http.HandlerFunc) *Forwarder {
	t.Helper()
	f, err := New(Options{Redis: client})
	if err != nil {
		t.Fatal(err)
	}
	f.Start(h, nil)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := f.Close(ctx); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	eventually(t, "the stub is registered", func() bool { return f.Stats().Registered })
	return f
}

// What was sent may have been taken: when the owner breaks off, neither a POST
// nor a poll is sent again, over a new connection or a used one.
func TestNothingIsSentTwice(t *testing.T) {
	newClient := startRedis(t)
	for _, method := range []string{"POST", "GET"} {
		var requests atomic.Int32
		owner := stub(t, newClient(), func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			if requests.Add(1) > 1 {
				panic(http.ErrAbortHandler) // cuts the connection
			}
		})
		front := join(t, newClient(), Options{}, engineio.Options{})
		url := front.url("EIO=4", owner.NewID())
		if res := do(t, method, url, "4a"); res.status != 200 {
			t.Fatalf("%s: %d %q", method, res.status, res.body)
		}
		wantUnknown(t, do(t, method, url, "4a"))
		if s := front.Stats(); requests.Load() != 2 || s.Broken != 1 {
			t.Errorf("%s: the owner was asked %d times; %+v", method, requests.Load(), s)
		}
	}
}

// Half an answer does not look whole.
func TestHalfAnAnswer(t *testing.T) {
	newClient := startRedis(t)
	for _, length := range []string{"", "1000"} {
		owner := stub(t, newClient(), func(w http.ResponseWriter, r *http.Request) {
			if length != "" {
				w.Header().Set("Content-Length", length)
			}
			fmt.Fprint(w, "half")
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		})
		front := join(t, newClient(), Options{}, engineio.Options{})
		if res, err := try(context.Background(), "GET", front.url("EIO=4", owner.NewID()), nil); err == nil {
			t.Errorf("length %q: got %+v", length, res)
		}
	}
}

// A client that goes away ends its request at the owner, and a session that
// ends at the owner ends the client's.
func TestAbandonedRequests(t *testing.T) {
	list := cluster(t, 2, Options{}, engineio.Options{})
	owner, front := list[0], list[1]

	sid := owner.open(t, "EIO=4")
	v := owner.accept(t)
	ctx, cancel := context.WithCancel(context.Background())
	aborted := make(chan error, 1)
	go func() {
		_, err := try(ctx, "GET", front.url("EIO=4", sid), nil)
		aborted <- err
	}()
	eventually(t, "the owner has the poll", func() bool { return v.Writable() })
	cancel()
	if err := <-aborted; err == nil {
		t.Error("the poll was answered")
	}
	v.wantClosed(t, "transport error: poll connection closed prematurely")
	eventually(t, "it is counted", func() bool { return front.Stats().Canceled == 1 })

	sid = owner.open(t, "EIO=4")
	v = owner.accept(t)
	nc, err := net.Dial("tcp", strings.TrimPrefix(front.http.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(nc, "POST /?EIO=4&transport=polling&sid=%s HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n4half", sid)
	nc.Close()
	v.wantClosed(t, "transport error: data request connection closed prematurely")

	sid = owner.open(t, "EIO=4")
	v = owner.accept(t)
	answered := make(chan response, 1)
	go func() {
		res, _ := try(context.Background(), "GET", front.url("EIO=4", sid), nil)
		answered <- res
	}()
	eventually(t, "the owner has the poll", func() bool { return v.Writable() })
	v.Close()
	if res := <-answered; res.body != "1" {
		t.Errorf("the end of the session: %+v", res)
	}
	if s := front.Stats(); s.Broken != 0 {
		t.Errorf("%+v", s)
	}
}

package blankline

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"
)

const patience = 30 * time.Second

const (
	get  = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
	post = "POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\n\r\n\r\nab"
	lf   = "GET /c HTTP/1.1\nHost: x\n\n"
)

// scanned is what is left of text that comes in pieces of at most n bytes.
func scanned(text string, n int) string {
	var s scanner
	var out strings.Builder
	for len(text) > 0 {
		piece := text[:min(n, len(text))]
		text = text[len(piece):]
		out.Write(s.scan([]byte(piece)))
	}
	return out.String()
}

func TestScan(t *testing.T) {
	long := "GET /" + strings.Repeat("x", 1000) + " HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("y", 1000) + "\r\n\r\n"
	for _, tt := range []struct{ name, text, want string }{
		{"nothing", "", ""},
		{"requests", get + post + lf + get, get + post + lf + get},
		{"empty lines before the first", "\r\n\n\r" + get, get},
		{"between", get + "\r\n" + post + "\r\n\r\n\r\n\r\n" + lf + "\n" + get + "\r\n", get + post + lf + get},
		{"within a body", post + post, post + post},
		{"long lines", "\r\n" + long + "\r\n" + get, long + get},
		{"half a request", "\r\nGET /", "GET /"},

		{"chunks", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n\r\n" + get, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n\r\n" + get},
		{"an upgrade", "GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n\r\n\x81", "GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n\r\n\x81"},
		{"two lengths", "POST / HTTP/1.1\r\nContent-Length: 1\r\ncontent-length: 1\r\n\r\nx\r\n", "POST / HTTP/1.1\r\nContent-Length: 1\r\ncontent-length: 1\r\n\r\nx\r\n"},
		{"a length that is none", "POST / HTTP/1.1\r\nContent-Length: 0x0\r\n\r\n\r\n", "POST / HTTP/1.1\r\nContent-Length: 0x0\r\n\r\n\r\n"},
		{"a length behind many spaces", "POST / HTTP/1.1\r\nContent-Length:" + strings.Repeat(" ", 240) + "12\r\n\r\n\n\n\n\n\n\n\n\n\n\n\n\n\n", "POST / HTTP/1.1\r\nContent-Length:" + strings.Repeat(" ", 240) + "12\r\n\r\n\n\n\n\n\n\n\n\n\n\n\n\n\n"},
		{"a folded length", "POST / HTTP/1.1\r\nContent-Length:\r\n 2\r\n\r\n\r\n\r\n", "POST / HTTP/1.1\r\nContent-Length:\r\n 2\r\n\r\n\r\n\r\n"},
		{"CONNECT", "CONNECT a:1 HTTP/1.1\r\n\r\n\r\n", "CONNECT a:1 HTTP/1.1\r\n\r\n\r\n"},
	} {
		for _, n := range []int{1, 2, 3, 7, 1 << 20} {
			if got := scanned(tt.text, n); got != tt.want {
				t.Errorf("%s, by %d: got %q, want %q", tt.name, n, got, tt.want)
			}
		}
	}
}

// However requests and empty lines follow each other, and wherever they are cut.
func TestScanAnySequence(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		var text, want strings.Builder
		for range rnd.IntN(6) {
			for range rnd.IntN(3) {
				text.WriteString([]string{"\r\n", "\n", "\r"}[rnd.IntN(3)])
			}
			r := []string{get, post, lf}[rnd.IntN(3)]
			text.WriteString(r)
			want.WriteString(r)
		}
		if got := scanned(text.String(), 1+rnd.IntN(40)); got != want.String() {
			t.Fatalf("%q became %q", text.String(), got)
		}
	}
}

// Nothing but CR and LF is ever dropped, and net/http reads the same requests from
// what is left.
func FuzzScan(f *testing.F) {
	for _, seed := range []string{get + "\r\n" + post, lf + lf, "\r\n" + get, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"} {
		f.Add([]byte(seed), 3)
	}
	f.Fuzz(func(t *testing.T, text []byte, n int) {
		left := scanned(string(text), max(1, n))
		if drop(left) != drop(string(text)) {
			t.Fatalf("%q became %q", text, left)
		}
		in, out := requests(string(text)), requests(left)
		if len(in) > len(out) || in != out[:len(in)] {
			t.Fatalf("%q is read as %q, %q as %q", text, in, left, out)
		}
	})
}

func drop(s string) string { return strings.NewReplacer("\r", "", "\n", "").Replace(s) }

// requests tells what net/http reads, up to the first that it refuses.
func requests(text string) string {
	var told strings.Builder
	in := bufio.NewReader(strings.NewReader(text))
	for {
		r, err := http.ReadRequest(in)
		if err != nil {
			return told.String()
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return told.String()
		}
		fmt.Fprintf(&told, "%s %s %v %q\n", r.Method, r.RequestURI, r.Header, body)
	}
}

// serve starts a server whose handler waits for the request behind it at /wait.
func serve(t *testing.T) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.URL.Path == "/wait" {
			select {
			case <-Behind(r.Context()):
				body = []byte("behind")
			case <-time.After(patience):
				t.Error("the handler heard nothing")
			}
		}
		_, _ = fmt.Fprintf(w, "%s %s %s", r.Method, r.URL.Path, body)
	})))
	s.Config.ConnContext = Context
	s.Listener = Listen(s.Listener)
	s.Start()
	t.Cleanup(s.Close)
	return s
}

func dial(t *testing.T, s *httptest.Server) net.Conn {
	t.Helper()
	nc, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = nc.Close() })
	_ = nc.SetDeadline(time.Now().Add(patience))
	return nc
}

func wantAnswer(t *testing.T, in *bufio.Reader, status int, want string) {
	t.Helper()
	res, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != status || !bytes.Contains(body, []byte(want)) {
		t.Fatalf("got %d %q %v, want %d %q", res.StatusCode, body, err, status, want)
	}
}

func TestEmptyLinesBetweenRequests(t *testing.T) {
	nc := dial(t, serve(t))
	in := bufio.NewReader(nc)
	for _, text := range []string{"\r\n" + get, get + "\r\n\r\n", "\n\n\n\n\n\n" + post + "\r\n\r\n\r\n\r\n", post, get} {
		_, _ = io.WriteString(nc, text)
		want := "GET /a"
		if strings.Contains(text, "POST") {
			want = "POST /b \r\n\r\nab"
		}
		wantAnswer(t, in, http.StatusOK, want)
	}
}

// A request behind another is told of, whether it came with it or later.
func TestBehind(t *testing.T) {
	s := serve(t)
	const wait = "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n"
	for _, apart := range []bool{false, true} {
		nc := dial(t, s)
		in := bufio.NewReader(nc)
		for range 3 {
			if apart {
				_, _ = io.WriteString(nc, wait)
				_, _ = io.WriteString(nc, "\r\n")
				_, _ = io.WriteString(nc, get)
			} else {
				_, _ = io.WriteString(nc, wait+"\r\n"+get)
			}
			wantAnswer(t, in, http.StatusOK, "GET /wait behind")
			wantAnswer(t, in, http.StatusOK, "GET /a")
		}
	}
	if Behind(context.Background()) != nil {
		t.Error("a channel without a connection")
	}
}

// What has a length and chunks is refused, and the connection with it, whether its body has come or not.
func TestTwoLengthsAreRefused(t *testing.T) {
	s := serve(t)
	for _, body := range []string{"0\r\n\r\n" + get, "5\r\nhe", "\x01\x02", ""} {
		nc := dial(t, s)
		_, _ = io.WriteString(nc, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"+body)
		in := bufio.NewReader(nc)
		wantAnswer(t, in, http.StatusBadRequest, "two lengths")
		if _, err := in.ReadByte(); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("behind a body of %q: %v, want the end of the connection", body, err)
		}
	}
}

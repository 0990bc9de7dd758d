package httpserver

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"socketio-chat/pkg/e2e/simulation/line"
)

// inBubble runs f with a server and a way to connect to it, on a clock of its own.
func inBubble(t *testing.T, o Options, f func(t *testing.T, dial func() net.Conn)) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, o)
		l := line.Listen("bubble")
		go func() { _ = s.Serve(l) }()
		f(t, func() net.Conn {
			ours, theirs := net.Pipe()
			t.Cleanup(func() { ours.Close() })
			if err := l.Serve(theirs); err != nil {
				t.Errorf("dial: %v", err)
			}
			return ours
		})
		_ = s.public.Close()
		time.Sleep(time.Second) // on the bubble's clock: net/http lingers half a second
		synctest.Wait()
	})
}

// closedAfter reads until the server closes the connection.
func closedAfter(t testing.TB, c net.Conn, begin time.Time, want time.Duration) string {
	t.Helper()
	text, err := io.ReadAll(c)
	if err != nil {
		t.Errorf("read: %v", err)
	}
	if got := time.Since(begin); got < want || got > want+time.Second {
		t.Errorf("closed after %s, want %s", got, want)
	}
	return string(text)
}

func send(t testing.TB, c net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
}

func TestSlowHeadersAreCut(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, dial func() net.Conn) {
		c, begin := dial(), time.Now()
		send(t, c, "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ")
		closedAfter(t, c, begin, headerTimeout)
	})
}

// A client on Node.js that computes for a while may have connected before and asks after that. To cut it
// off costs it its session: Node's servers wait for 60 s.
func TestClientMayStandStillBeforeItsRequest(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, dial func() net.Conn) {
		c := dial()
		time.Sleep(59 * time.Second) // on the bubble's clock
		send(t, c, "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		if text, err := io.ReadAll(c); err != nil || !strings.HasPrefix(string(text), "HTTP/1.1 200 OK") {
			t.Errorf("got %q, %v", text, err)
		}
	})
}

func TestIdleConnectionsAreClosed(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, dial func() net.Conn) {
		c, begin := dial(), time.Now()
		send(t, c, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
		if text := closedAfter(t, c, begin, idleTimeout); !strings.HasPrefix(text, "HTTP/1.1 200 OK") {
			t.Errorf("got %q", text)
		}
	})
}

func TestSlowBodiesAreCut(t *testing.T) {
	var failed error
	socket := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, failed = io.ReadAll(r.Body) })
	inBubble(t, Options{Socket: socket}, func(t *testing.T, dial func() net.Conn) {
		c, begin := dial(), time.Now()
		send(t, c, "POST /socket.io/ HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n4")
		closedAfter(t, c, begin, bodyTimeout)
		if !errors.Is(failed, os.ErrDeadlineExceeded) {
			t.Errorf("the handler's read ended with %v", failed)
		}
	})
}

// A poll may last longer than every limit, also after a request with a body on the same
// connection, whose deadline must not stay.
func TestLongPollsAreNotCut(t *testing.T) {
	socket := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			_, _ = io.Copy(io.Discard, r.Body)
			return
		}
		select {
		case <-time.After(time.Hour):
			_, _ = io.WriteString(w, "message")
		case <-r.Context().Done():
		}
	})
	inBubble(t, Options{Socket: socket}, func(t *testing.T, dial func() net.Conn) {
		c := dial()
		in := bufio.NewReader(c)
		for _, tt := range []struct{ request, body string }{
			{"POST /socket.io/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n4", ""},
			{"GET /socket.io/ HTTP/1.1\r\nHost: x\r\n\r\n", "message"},
			{"GET /socket.io/ HTTP/1.1\r\nHost: x\r\n\r\n", "message"},
		} {
			send(t, c, tt.request)
			answer, err := http.ReadResponse(in, nil)
			if err != nil {
				t.Fatal(err)
			}
			if text, err := io.ReadAll(answer.Body); err != nil || string(text) != tt.body {
				t.Errorf("got %q, %v", text, err)
			}
		}
	})
}

// A client that asks for a file and does not read it is cut off.
func TestUnreadAnswersAreCut(t *testing.T) {
	page := fstest.MapFS{"index.html": {Data: make([]byte, 1<<20)}}
	inBubble(t, Options{Page: page}, func(t *testing.T, dial func() net.Conn) {
		c := dial()
		send(t, c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		time.Sleep(answerTimeout + time.Second) // on the bubble's clock
		if text, _ := io.ReadAll(c); len(text) > 1<<16 {
			t.Errorf("still got %d bytes", len(text))
		}
	})
}

// So is one that reads no answer of another handler, however short, once they fill the connection. A poll of an
// hour is none: see TestLongPollsAreNotCut.
func TestShortAnswersThatAreNotReadAreCut(t *testing.T) {
	ended := 0
	socket := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, "no")
		ended++
	})
	inBubble(t, Options{Socket: socket}, func(t *testing.T, dial func() net.Conn) {
		c, begin := dial(), time.Now()
		send(t, c, "GET /socket.io/ HTTP/1.1\r\nHost: x\r\n\r\n") // a pipe holds nothing: to write is to wait
		time.Sleep(answerTimeout + time.Second)                   // on the bubble's clock
		closedAfter(t, c, begin, answerTimeout+time.Second)
		if ended != 1 {
			t.Errorf("%d requests were served", ended)
		}
	})
}

// Nobody waits for a body that no handler wants: without this a byte a second held a connection for as long as a
// body may take.
func TestBodiesThatNobodyWantsEndConnections(t *testing.T) {
	for name, request := range map[string]string{
		"chunked": "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n",
		"length":  "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nx",
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, Options{}, func(t *testing.T, dial func() net.Conn) {
				c, begin := dial(), time.Now()
				send(t, c, request)
				if text := closedAfter(t, c, begin, unreadTimeout); !strings.HasPrefix(text, "HTTP/1.1 405") {
					t.Errorf("got %q", text)
				}
			})
		})
	}
}

func TestLargeHeadersAreRefused(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, dial func() net.Conn) {
		c := dial()
		go func() {
			_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\nX: "+strings.Repeat("x", 2*headerBytes))
		}()
		answer, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil || answer.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("answer %v, %v", answer, err)
		}
		c.Close()
	})
}

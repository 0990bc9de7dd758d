//go:build linux

package engineio

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"socketio-chat/pkg/blankline"
)

// handlers are paths that answer in all ways in which a handler can.
func handlers(waiting chan<- string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/short", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "short") })
	mux.HandleFunc("/empty", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/none", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) })
	mux.HandleFunc("/long", func(w http.ResponseWriter, _ *http.Request) {
		for range 100 {
			_, _ = io.WriteString(w, strings.Repeat("long", 100))
		}
	})
	mux.HandleFunc("/announced", func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "a.js", time.Time{}, strings.NewReader(strings.Repeat("announced", 10_000)))
	})
	mux.HandleFunc("/cut", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "10")
		_, _ = io.WriteString(w, "cut")
	})
	mux.HandleFunc("/toolong", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "3")
		_, err := io.WriteString(w, "four")
		_, _ = io.WriteString(w, map[bool]string{true: "yes", false: "no!"}[errors.Is(err, http.ErrContentLength)])
	})
	mux.HandleFunc("/flushed", func(w http.ResponseWriter, _ *http.Request) {
		for i := range 3 {
			_, _ = fmt.Fprintf(w, "part %d;", i)
			w.(http.Flusher).Flush()
		}
	})
	mux.HandleFunc("/body", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		_, _ = fmt.Fprintf(w, "%d bytes, %v", len(body), err)
	})
	mux.HandleFunc("/ignored", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "not read") })
	mux.HandleFunc("/behind", func(w http.ResponseWriter, r *http.Request) {
		waiting <- "behind"
		select {
		case <-blankline.Behind(r.Context()):
			_, _ = io.WriteString(w, "another came")
		case <-r.Context().Done():
		}
	})
	mux.HandleFunc("/gone", func(_ http.ResponseWriter, r *http.Request) {
		waiting <- "gone"
		<-r.Context().Done()
		waiting <- r.Context().Err().Error()
	})
	return mux
}

// Whatever a handler does, the client reads the same as from net/http, and the
// connection stays with the front.
func TestFrontServesHandlers(t *testing.T) {
	servers := pair(t, Options{}, func(http.Handler) http.Handler { return handlers(nil) })
	const host = " HTTP/1.1\r\nHost: x\r\n"
	for _, request := range []string{
		"GET /short", "HEAD /short", "GET /empty", "GET /none", "GET /long", "HEAD /long", "GET /announced", "HEAD /announced", "GET /cut",
		"GET /toolong", "GET /flushed", "HEAD /flushed", "GET /missing", "OPTIONS /short", "DELETE /short",
	} {
		var told [2]string
		for i, s := range servers {
			told[i] = s.exchange(t, request+host+"\r\n")
		}
		if told[0] != told[1] {
			t.Errorf("%s: with the front:\n%.1000s\nwithout:\n%.1000s", request, told[0], told[1])
		}
	}
	for _, n := range []int{0, 1, readBuffer - 100, readBuffer, 100_000} {
		var told [2]string
		for i, s := range servers {
			told[i] = s.exchange(t, fmt.Sprintf("POST /body%sContent-Length: %d\r\n\r\n%s", host, n, strings.Repeat("x", n)))
		}
		if told[0] != told[1] || !strings.Contains(told[0], fmt.Sprintf("%d bytes, <nil>", n)) {
			t.Errorf("%d bytes: with the front:\n%s\nwithout:\n%s", n, told[0], told[1])
		}
	}
	if _, handed := servers[0].Stats().Front(); handed != 0 {
		t.Errorf("the front has handed over %d", handed)
	}
}

// A handler may wrap the writer, hijack the connection or panic, as with net/http.
func TestFrontHandlers(t *testing.T) {
	var plain atomic.Bool
	servers := pair(t, Options{}, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch r.Header.Get("X-Do") {
			case "panic":
				panic(http.ErrAbortHandler)
			case "teapot":
				w.Header().Set("Connection", "close")
				w.WriteHeader(http.StatusTeapot)
				_, _ = io.WriteString(w, "<html>short and stout")
			case "nothing":
				w.WriteHeader(http.StatusNoContent)
			case "hide":
				h.ServeHTTP(struct {
					http.ResponseWriter
					http.Hijacker
				}{w, w.(http.Hijacker)}, r)
			default:
				plain.Store(true)
				h.ServeHTTP(wrapped{w}, r)
			}
		})
	})
	const sock = "GET /engine.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	for _, do := range []string{"panic", "teapot", "nothing", "hide", "wrap"} {
		var told [2]string
		for i, s := range servers {
			told[i] = s.exchange(t, sock+"X-Do: "+do+"\r\n\r\n") + s.exchange(t, "GET /engine.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\nX-Do: "+do+"\r\n\r\n")
		}
		if told[0] != told[1] && do != "wrap" { // net/http cannot hijack what is wrapped
			t.Errorf("%s: with the front:\n%s\nwithout:\n%s", do, told[0], told[1])
		}
	}
	if served, handed := servers[0].Stats().Front(); served != 10 || handed != 0 || !plain.Load() {
		t.Errorf("the front has served %d and handed over %d", served, handed)
	}
	for _, s := range servers {
		s.each((*Conn).Discard)
	}
}

type wrapped struct{ http.ResponseWriter }

func (w wrapped) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// A preflight, an asset and a long POST leave a connection with the front, one after
// another and between polls.
func TestFrontComesBack(t *testing.T) {
	servers := pair(t, Options{}, func(h http.Handler) http.Handler {
		other := handlers(nil)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/engine.io/") {
				h.ServeHTTP(w, r)
				return
			}
			other.ServeHTTP(w, r)
		})
	})
	srv := servers[0]
	alice := dialPolling(t, srv, 4)
	server := srv.accept(t)
	nc := dialRaw(t, srv)
	defer nc.Close()
	in := bufio.NewReader(nc)
	url := "/engine.io/?EIO=4&transport=polling&sid=" + alice.sid + " HTTP/1.1\r\nHost: x\r\n"
	long := strings.Repeat("y", 50_000)
	for range 3 {
		for _, request := range []string{"OPTIONS " + url + "\r\n", "GET /announced HTTP/1.1\r\nHost: x\r\n\r\n", "GET /long HTTP/1.1\r\nHost: x\r\n\r\n",
			fmt.Sprintf("POST %sContent-Length: %d\r\n\r\n4%s", url, 1+len(long), long)} {
			send(t, nc, request)
			res, err := http.ReadResponse(in, nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, res.Body); err != nil || res.StatusCode >= 300 {
				t.Fatal(res.Status, err)
			}
		}
		server.want(t, message(long))
		send(t, nc, "GET "+url+"\r\n")
		server.wantPolling(t)
		server.sendText("hello")
		wantBody(t, in, "4hello")
	}
	if served, handed := srv.Stats().Front(); served < 15 || handed != 0 {
		t.Errorf("the front has served %d and handed over %d", served, handed)
	}
}

// A handler that waits learns that its client has gone, or has sent another request.
func TestFrontTellsHandlers(t *testing.T) {
	waiting := make(chan string)
	srv := pair(t, Options{}, func(http.Handler) http.Handler { return handlers(waiting) })[0]
	dial := func(path string) (*net.TCPConn, *bufio.Reader) {
		nc := dialRaw(t, srv)
		t.Cleanup(func() { _ = nc.Close() })
		send(t, nc, "GET "+path+" HTTP/1.1\r\nHost: x\r\n\r\n")
		<-waiting
		return nc, bufio.NewReader(nc)
	}
	nc, in := dial("/behind")
	send(t, nc, "GET /short HTTP/1.1\r\nHost: x\r\n\r\n")
	wantBody(t, in, "another came")
	wantBody(t, in, "short")

	for _, end := range []func(*net.TCPConn) error{(*net.TCPConn).CloseWrite, (*net.TCPConn).Close} {
		nc, _ := dial("/gone")
		if err := end(nc); err != nil {
			t.Fatal(err)
		}
		if err := <-waiting; err != context.Canceled.Error() {
			t.Errorf("the handler got %s", err)
		}
	}
}

// A body that nobody reads ends the connection, behind the answer.
func TestFrontUnreadBody(t *testing.T) {
	srv := pair(t, Options{}, func(http.Handler) http.Handler { return handlers(nil) })[0]
	nc := dialRaw(t, srv)
	defer nc.Close()
	send(t, nc, "POST /ignored HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nbegun")
	in := bufio.NewReader(nc)
	res, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(res.Body); string(body) != "not read" || err != nil || !res.Close {
		t.Errorf("got %q, %v, close %v", body, err, res.Close)
	}
	if _, err := in.ReadByte(); err == nil {
		t.Error("the connection goes on")
	}
}

// A server that ends does not wait for handlers that wait for their clients.
func TestFrontCloseEndsHandlers(t *testing.T) {
	waiting := make(chan string)
	srv := pair(t, Options{}, func(http.Handler) http.Handler { return handlers(waiting) })[0]
	nc := dialRaw(t, srv)
	defer nc.Close()
	send(t, nc, "GET /gone HTTP/1.1\r\nHost: x\r\n\r\n")
	<-waiting
	closed := make(chan error)
	go func() { closed <- srv.http.Listener.Close() }()
	if err := <-waiting; err != context.Canceled.Error() {
		t.Errorf("the handler got %s", err)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

// Write tells how much of what it was given has been written: a caller that goes on after
// a timeout must know.
func TestFrontWriterTellsWhatWasWritten(t *testing.T) {
	c := &stingyConn{feed(), []int{7}}
	w := &frontWriter{conn: &frontConn{nc: c}, header: http.Header{}, begun: true, timed: true}
	for _, want := range []int{7, 0} {
		if n, err := w.Write(make([]byte, 100)); n != want || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%d bytes, %v; want %d", n, err, want)
		}
	}
	if got := c.written.Len(); got != 7 {
		t.Errorf("%d bytes were written", got)
	}
}

package httpserver

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
)

// running is a server that listens on the loopback interface.
type running struct {
	*Server
	url, operatorURL string
	served           chan error // results of Serve and ServeOperator
}

func start(t testing.TB, o Options) *running {
	t.Helper()
	r := &running{Server: newTestServer(t, o), served: make(chan error, 2)}
	listen := func() net.Listener {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	public, operator := listen(), listen()
	r.url, r.operatorURL = "http://"+public.Addr().String(), "http://"+operator.Addr().String()
	go func() { r.served <- r.Serve(public) }()
	go func() { r.served <- r.ServeOperator(operator) }()
	return r
}

// stopped waits for both addresses to be closed.
func (r *running) stopped(t testing.TB) {
	t.Helper()
	for range 2 {
		if err := <-r.served; err != nil {
			t.Errorf("serving ended with %v", err)
		}
	}
}

// get asks over a connection that is closed afterwards.
func get(url string) (*http.Response, error) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	return client.Get(url)
}

func status200(t testing.TB, url string) {
	t.Helper()
	answer, err := get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %v", url, answer.StatusCode, err)
	}
}

// A long poll is answered, not cut, when the server shuts down; nobody can connect any
// more by the time it is.
func TestShutdownLetsLongPollsEnd(t *testing.T) {
	waiting, end := make(chan struct{}), make(chan struct{})
	r := start(t, Options{Socket: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(waiting)
		<-end
		_, _ = io.WriteString(w, "1")
	})})
	status200(t, r.url+"/healthz")
	status200(t, r.operatorURL+"/healthz")

	answered := make(chan string, 1)
	go func() {
		answer, err := get(r.url + "/socket.io/")
		if err != nil {
			answered <- err.Error()
			return
		}
		defer answer.Body.Close()
		text, _ := io.ReadAll(answer.Body)
		answered <- string(text)
	}()
	<-waiting

	calls := 0
	release := func(context.Context) error {
		calls++
		if _, err := net.Dial("tcp", r.url[len("http://"):]); err == nil {
			t.Error("a client can connect while the others are let go")
		}
		answer, err := get(r.operatorURL + "/readyz")
		if err != nil {
			t.Errorf("operators get no answer: %v", err)
		} else {
			answer.Body.Close()
			if answer.StatusCode != http.StatusServiceUnavailable {
				t.Errorf("readyz answers %d", answer.StatusCode)
			}
		}
		close(end)
		return nil
	}
	for range 2 {
		if err := r.Shutdown(t.Context(), release); err != nil {
			t.Errorf("shutdown: %v", err)
		}
	}
	if text := <-answered; text != "1" {
		t.Errorf("the long poll got %q", text)
	}
	if calls != 1 {
		t.Errorf("released %d times", calls)
	}
	r.stopped(t)
}

// What does not end in time is cut off, and the error tells about everything.
func TestShutdownCutsOffTheRest(t *testing.T) {
	waiting := make(chan struct{})
	r := start(t, Options{Socket: http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		close(waiting)
		<-req.Context().Done() // ends when the connection is cut
	})})
	failed := make(chan error, 1)
	go func() {
		_, err := get(r.url + "/socket.io/")
		failed <- err
	}()
	<-waiting
	ctx, cancel := context.WithCancel(t.Context())
	broken := errors.New("release failed")
	err := r.Shutdown(ctx, func(context.Context) error {
		cancel()
		return broken
	})
	if !errors.Is(err, context.Canceled) || !errors.Is(err, broken) {
		t.Errorf("shutdown: %v", err)
	}
	if err := <-failed; err == nil {
		t.Error("the request was answered")
	}
	r.stopped(t)
}

func TestServeReportsFailure(t *testing.T) {
	s := newTestServer(t, Options{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if err := s.Serve(l); err == nil {
		t.Error("serving a closed listener ends without an error")
	}
}

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

func wantStatus(t testing.TB, want int, url string) {
	t.Helper()
	answer, err := get(url)
	if err != nil {
		t.Error(err)
		return
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil || answer.StatusCode != want {
		t.Errorf("%s: %d %v", url, answer.StatusCode, err)
	}
}

// While the clients are let go, a poll that waits is answered, and so is one that comes
// only then. Afterwards nobody can connect any more.
func TestShutdownLetsPollsEnd(t *testing.T) {
	waiting, end := make(chan struct{}, 2), make(chan struct{})
	r := start(t, Options{Socket: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		waiting <- struct{}{}
		<-end
		_, _ = io.WriteString(w, "1")
	})})
	wantStatus(t, http.StatusOK, r.url+"/healthz")
	wantStatus(t, http.StatusOK, r.operatorURL+"/readyz")

	answered := make(chan error, 1)
	poll := func() {
		answer, err := get(r.url + "/socket.io/")
		if err == nil {
			defer answer.Body.Close()
			_, err = io.ReadAll(answer.Body)
		}
		answered <- err
	}
	go poll()
	<-waiting

	calls := 0
	release := func(context.Context) error {
		calls++
		wantStatus(t, http.StatusServiceUnavailable, r.url+"/readyz")
		wantStatus(t, http.StatusServiceUnavailable, r.operatorURL+"/readyz")
		go poll()
		<-waiting
		close(end)
		return nil
	}
	for range 2 {
		if err := r.Shutdown(t.Context(), release); err != nil {
			t.Errorf("shutdown: %v", err)
		}
	}
	for range 2 {
		if err := <-answered; err != nil {
			t.Errorf("a poll got no answer: %v", err)
		}
	}
	if calls != 1 {
		t.Errorf("released %d times", calls)
	}
	r.stopped(t)
	for _, url := range []string{r.url, r.operatorURL} {
		if answer, err := get(url + "/healthz"); err == nil {
			answer.Body.Close()
			t.Errorf("%s still answers", url)
		}
	}
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

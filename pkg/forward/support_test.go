package forward

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"

	"socketio-chat/pkg/engineio"
	"socketio-chat/pkg/testenv"
)

func init() { logging.Disable() } // some tests are about broken connections

// patience only bounds a failure: no test measures time with it.
const patience = 30 * time.Second

// startRedis starts a redis-server of the test's own, on a socket in a directory.
func startRedis(t testing.TB) (newClient func() *redis.Client) {
	t.Helper()
	testenv.Programs(t, "redis-server")
	dir, err := os.MkdirTemp("", "redis") // t.TempDir makes paths too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "s")
	server := exec.Command("redis-server", "--port", "0", "--unixsocket", path, "--save", "", "--appendonly", "no")
	server.Dir = dir
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Process.Kill(); _ = server.Wait(); os.RemoveAll(dir) })
	newClient = func() *redis.Client {
		c := redis.NewClient(&redis.Options{Network: "unix", Addr: path})
		t.Cleanup(func() { c.Close() })
		return c
	}
	c := newClient()
	eventually(t, "redis-server answers", func() bool { return c.Ping(context.Background()).Err() == nil })
	return newClient
}

// eventually waits for a condition that has no event of its own.
func eventually(t testing.TB, what string, cond func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); !cond(); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for: %s", what)
		}
	}
}

// An instance is an engine with its forwarder, whose clients' messages it echoes.
type instance struct {
	*Forwarder
	engine *engineio.Server
	http   *httptest.Server
	conns  chan *visitor
}

// A visitor is the server's side of a connection.
type visitor struct {
	*engineio.Conn
	closed chan string // the reason
}

func (v *visitor) Receive(data []byte, binary bool) {
	if binary {
		v.Send(engineio.NewBinaryFrame(data))
		return
	}
	v.Send(engineio.NewTextFrame(append([]byte("echo "), data...)))
}

func (v *visitor) Closed(reason engineio.CloseReason, err error) {
	v.closed <- fmt.Sprint(reason, ": ", err)
}

// join starts an instance that ends with the test.
func join(t testing.TB, client redis.UniversalClient, o Options, e engineio.Options) *instance {
	t.Helper()
	o.Redis = client
	f, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	in := &instance{Forwarder: f, conns: make(chan *visitor, 1024)}
	e.NewID, e.Forward = f.NewID, f.Forward
	e.OnConnect = func(c *engineio.Conn) engineio.Receiver {
		v := &visitor{c, make(chan string, 1)}
		in.conns <- v
		return v
	}
	in.engine = engineio.NewServer(e)
	in.http = httptest.NewServer(in.engine)
	f.Start(in.engine, in.engine)
	t.Cleanup(func() { in.end(t) })
	return in
}

func (in *instance) end(t testing.TB) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	_ = in.engine.Close(ctx) // those who poll may not come for the last packet
	cancel()
	ctx, cancel = context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := in.Close(ctx); err != nil {
		t.Errorf("close: %v", err)
	}
	in.http.CloseClientConnections()
	in.http.Close()
}

func (in *instance) accept(t testing.TB) *visitor {
	t.Helper()
	select {
	case v := <-in.conns:
		return v
	case <-time.After(patience):
		t.Fatal("no connection came")
		return nil
	}
}

func (v *visitor) wantClosed(t testing.TB, want string) {
	t.Helper()
	select {
	case got := <-v.closed:
		if !strings.HasPrefix(got, want) {
			t.Errorf("closed with %q, want %q", got, want)
		}
	case <-time.After(patience):
		t.Fatalf("the connection was not closed, want %q", want)
	}
}

// cluster starts instances that know each other.
func cluster(t testing.TB, n int, o Options, e engineio.Options) []*instance {
	t.Helper()
	newClient := startRedis(t)
	list := make([]*instance, n)
	for i := range list {
		list[i] = join(t, newClient(), o, e)
	}
	for _, in := range list {
		eventually(t, "instance is registered", func() bool { return in.Stats().Registered })
	}
	return list
}

// A response is what a client got.
type response struct {
	status int
	body   string
	header http.Header
}

func do(t testing.TB, method, url, body string, header ...string) response {
	t.Helper()
	res, err := try(context.Background(), method, url, strings.NewReader(body), header...)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// try sends a request over a connection of its own. header is name, value, …
func try(ctx context.Context, method, url string, body io.Reader, header ...string) (response, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return response{}, err
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	transport := &http.Transport{DisableKeepAlives: true, DisableCompression: true}
	defer transport.CloseIdleConnections()
	res, err := transport.RoundTrip(req)
	if err != nil {
		return response{}, err
	}
	defer res.Body.Close()
	var b bytes.Buffer
	_, err = b.ReadFrom(res.Body)
	return response{res.StatusCode, b.String(), res.Header}, err
}

var sidPattern = regexp.MustCompile(`"sid":"([^"]+)"`)

// open begins a session at an instance and returns its id. query is of the form "EIO=4".
func (in *instance) open(t testing.TB, query string) string {
	t.Helper()
	res := do(t, "GET", in.http.URL+"/?transport=polling&"+query, "")
	m := sidPattern.FindStringSubmatch(strings.ReplaceAll(res.body, `\"`, `"`))
	if m == nil {
		t.Fatalf("no session: %d %q", res.status, res.body)
	}
	return m[1]
}

// url names a session at an instance, which need not have it.
func (in *instance) url(query, sid string) string {
	return in.http.URL + "/?transport=polling&" + query + "&sid=" + sid
}

const unknownSID = `{"code":1,"message":"Session ID unknown"}`

func wantUnknown(t testing.TB, res response) {
	t.Helper()
	if res.status != 400 || res.body != unknownSID {
		t.Errorf("got %d %q, want the session to be unknown", res.status, res.body)
	}
}

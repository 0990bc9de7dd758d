package engineio

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// Ways to leave without a word, each on a connection of its own. They end when
// the client has left.
var rudeness = []struct {
	name string
	do   func(t testing.TB, s *testServer, r *rudeClient)
}{
	{"connects and says nothing", func(t testing.TB, s *testServer, r *rudeClient) {
		r.dial(t, s).leave()
	}},
	{"half a request", func(t testing.TB, s *testServer, r *rudeClient) {
		r.dial(t, s).say(string(upgradeRequest("EIO=4&transport=websocket"))[:60]).leave()
	}},
	{"does not wait for the handshake's answer", func(t testing.TB, s *testServer, r *rudeClient) {
		r.dial(t, s).say(string(upgradeRequest("EIO=4&transport=websocket"))).leave()
	}},
	{"in the middle of a frame", func(t testing.TB, s *testServer, r *rudeClient) {
		r.dial(t, s).say(string(upgradeRequest("EIO=3&transport=websocket"))).hear().
			say(string(text("4hello"))).say(string(text("4hello")[:7])).leave()
	}},
	{"in the middle of a long message", func(t testing.TB, s *testServer, r *rudeClient) {
		r.dial(t, s).say(string(upgradeRequest("EIO=4&transport=websocket"))).hear().
			say(string(header(0x01, 200_000))).say(strings.Repeat("x", 100_000)).leave()
	}},
	{"after a broken frame", func(t testing.TB, s *testServer, r *rudeClient) {
		r.dial(t, s).say(string(upgradeRequest("EIO=4&transport=websocket"))).hear().say("\x81\x05hello").leave()
	}},
	{"does not answer a close frame", func(t testing.TB, s *testServer, r *rudeClient) {
		r.dial(t, s).say(string(upgradeRequest("EIO=4&transport=websocket"))).hear().say(string(text("9"))).hear().leave()
	}},
	{"never polls", func(t testing.TB, s *testServer, r *rudeClient) {
		r.handshake(t, s)
	}},
	{"in the middle of a poll", func(t testing.TB, s *testServer, r *rudeClient) {
		r.handshake(t, s)
		r.dial(t, s).say("GET /?EIO=4&transport=polling&sid=" + r.sid + " HTTP/1.1\r\nHost: x\r\n\r\n").leave()
	}},
	{"in the middle of a POST", func(t testing.TB, s *testServer, r *rudeClient) {
		r.handshake(t, s)
		r.dial(t, s).say("POST /?EIO=4&transport=polling&sid=" + r.sid + " HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n4").leave()
	}},
	{"before the probe", func(t testing.TB, s *testServer, r *rudeClient) {
		r.handshake(t, s)
		r.dial(t, s).say(string(upgradeRequest("EIO=4&transport=websocket&sid=" + r.sid))).leave()
	}},
	{"after the probe", func(t testing.TB, s *testServer, r *rudeClient) {
		r.handshake(t, s)
		r.dial(t, s).say(string(upgradeRequest("EIO=4&transport=websocket&sid=" + r.sid))).hear().say(string(text("2probe"))).leave()
	}},
	{"after the upgrade", func(t testing.TB, s *testServer, r *rudeClient) {
		r.handshake(t, s)
		r.dial(t, s).say(string(upgradeRequest("EIO=4&transport=websocket&sid=" + r.sid))).hear().
			say(string(join(text("2probe"), text("5"), text("4hello")))).leave()
	}},
}

type rudeClient struct {
	client *http.Client
	nc     *net.TCPConn
	reset  bool // leave with RST instead of FIN
	sid    string
}

func (r *rudeClient) dial(t testing.TB, s *testServer) *rudeClient {
	nc, err := net.Dial("tcp", s.addr())
	if err != nil {
		t.Error(err)
		return r
	}
	_ = nc.SetDeadline(time.Now().Add(patience))
	r.nc = nc.(*net.TCPConn)
	return r
}

// The server may be the first to end the connection; say and hear go on.

func (r *rudeClient) say(s string) *rudeClient {
	_, _ = r.nc.Write([]byte(s))
	return r
}

func (r *rudeClient) hear() *rudeClient {
	_, _ = r.nc.Read(make([]byte, 4096))
	return r
}

func (r *rudeClient) leave() {
	if r.reset {
		_ = r.nc.SetLinger(0)
	}
	_ = r.nc.Close()
}

func (r *rudeClient) handshake(t testing.TB, s *testServer) {
	res := request(r.client, http.MethodGet, s.url("http", "EIO=4&transport=polling"), "", nil)
	if res.err != nil || res.status != 200 {
		t.Errorf("handshake: %v", res)
	}
	r.sid = sid(res.body)
}

// descriptors is the number of this process's open descriptors, 0 where that
// is unknown.
func descriptors() int {
	entries, _ := os.ReadDir("/proc/self/fd")
	return len(entries)
}

// However rudely clients leave, nothing of them stays: no session, no
// goroutine, no descriptor, no timer that would call a receiver twice.
func TestChurn(t *testing.T) {
	const rounds = 12
	srv := serve(t, Options{PingInterval: 60 * time.Millisecond, PingTimeout: 60 * time.Millisecond, UpgradeTimeout: 60 * time.Millisecond})
	// One of each kind starts what stays for good.
	churn(t, srv, 1)
	goroutines, files := runtime.NumGoroutine(), descriptors()
	churn(t, srv, rounds)
	eventually(t, fmt.Sprintf("%d goroutines again", goroutines), func() bool { return runtime.NumGoroutine() <= goroutines })
	eventually(t, fmt.Sprintf("%d descriptors again", files), func() bool { return descriptors() <= files })
	var closed uint64
	for _, reason := range []CloseReason{TransportClose, TransportError, PingTimeout, ParseError, ForcedClose, SlowClient} {
		closed += srv.Stats().Closed(reason)
	}
	if opened := srv.Stats().Opened(); opened != closed || opened < 10*rounds {
		t.Errorf("%d opened, %d closed", opened, closed)
	}
}

// churn lets clients of each kind come n times, some at once, and waits until
// the server has forgotten them.
func churn(t testing.TB, srv *testServer, n int) {
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	var all sync.WaitGroup
	for round := range n {
		for _, kind := range rudeness {
			all.Go(func() { kind.do(t, srv, &rudeClient{client: client, reset: round%2 == 0}) })
		}
		all.Wait()
		for len(srv.peers) > 0 {
			p := <-srv.peers
			p.sendText("are you there") // a write to a client that has gone
			all.Go(func() { <-p.ended })
		}
	}
	eventually(t, "no peer is unknown", func() bool {
		for len(srv.peers) > 0 {
			p := <-srv.peers
			all.Go(func() { <-p.ended })
		}
		return srv.Len() == 0
	})
	all.Wait()
}

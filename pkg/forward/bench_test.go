//go:build unix

package forward

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"socketio-chat/pkg/engineio"
)

// A message there and back: a POST and the poll that brings the echo, over
// connections that are kept. All in one process, so the CPU per operation
// includes the client's part, which is the same for both.
func BenchmarkPoll(b *testing.B) {
	list := cluster(b, 2, Options{}, engineio.Options{})
	owner := list[0]
	for _, bb := range []struct {
		name string
		at   *instance
	}{{"direct", owner}, {"forwarded", list[1]}} {
		b.Run(bb.name, func(b *testing.B) {
			c := keepAliveClient(b, bb.at, owner.open(b, "EIO=4"))
			b.ReportAllocs()
			start := cpu()
			for b.Loop() {
				c.roundTrip(b, "POST", "4hello", "ok")
				c.roundTrip(b, "GET", "", "4echo hello")
			}
			b.ReportMetric(float64((cpu()-start).Microseconds())/float64(b.N), "cpu-µs/op")
		})
	}
}

// A message there and back over a WebSocket.
func BenchmarkTunnel(b *testing.B) {
	list := cluster(b, 2, Options{}, engineio.Options{})
	owner := list[0]
	for _, bb := range []struct {
		name string
		at   *instance
	}{{"direct", owner}, {"forwarded", list[1]}} {
		b.Run(bb.name, func(b *testing.B) {
			c := upgrade(b, bb.at, owner.open(b, "EIO=4"))
			start := cpu()
			for b.Loop() {
				c.send(b, "4hello")
				c.want(b, "4echo hello")
			}
			b.ReportMetric(float64((cpu()-start).Microseconds())/float64(b.N), "cpu-µs/op")
		})
	}
}

func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

type rawClient struct {
	nc     net.Conn
	r      *bufio.Reader
	target string
}

func keepAliveClient(b *testing.B, in *instance, sid string) *rawClient {
	nc, err := net.Dial("tcp", strings.TrimPrefix(in.http.URL, "http://"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { nc.Close() })
	return &rawClient{nc, bufio.NewReader(nc), "/?EIO=4&transport=polling&sid=" + sid}
}

func (c *rawClient) roundTrip(b *testing.B, method, body, want string) {
	fmt.Fprintf(c.nc, "%s %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", method, c.target, len(body), body)
	res, err := http.ReadResponse(c.r, nil)
	if err != nil {
		b.Fatal(err)
	}
	got, err := io.ReadAll(res.Body)
	if err != nil || string(got) != want {
		b.Fatalf("%s: %q, %v", method, got, err)
	}
}

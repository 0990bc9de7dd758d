package engineio

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// A client that goes while its poll waits ends its session, at once or by halves, whether the poll has a body or not: as in Node.
func TestFrontPollCut(t *testing.T) {
	srv := serve(t, Options{})
	for kind, rest := range map[string]string{
		"plain": "\r\n", "with a length": "Content-Length: 2\r\n\r\nhi", "with chunks": "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
		"with half a body": "Content-Length: 5\r\n\r\nhi",
	} {
		for name, cut := range map[string]func(*net.TCPConn) error{
			"closed": (*net.TCPConn).Close, "half closed": (*net.TCPConn).CloseWrite,
			"reset": func(c *net.TCPConn) error { return errors.Join(c.SetLinger(0), c.Close()) },
		} {
			alice := dialPolling(t, srv, 4)
			server := srv.accept(t)
			nc := dialRaw(t, srv)
			send(t, nc, "GET /engine.io/?EIO=4&transport=polling&sid="+alice.sid+" HTTP/1.1\r\nHost: x\r\n"+rest)
			if kind != "with half a body" {
				server.wantPolling(t)
			}
			if err := cut(nc); err != nil {
				t.Error(err)
			}
			if err := server.wantClosed(t, TransportError); !errors.Is(err, errPollCut) {
				t.Errorf("%s, %s: %v", kind, name, err)
			}
			if name == "half closed" {
				res, err := http.ReadResponse(bufio.NewReader(nc), nil)
				if err != nil || res.StatusCode != http.StatusBadRequest {
					t.Errorf("%s, %s: answered %v, %v", kind, name, res, err)
				}
			}
			nc.Close()
		}
	}
}

// An answer that the client takes slowly comes whole, and the connection goes on.
func TestFrontSlowAnswer(t *testing.T) {
	srv := serveSmall(t, Options{})
	alice := dialPolling(t, srv, 4)
	server := srv.accept(t)
	nc := dialRaw(t, srv)
	defer nc.Close()
	_ = nc.SetReadBuffer(16 << 10)
	in := bufio.NewReader(nc)
	long := strings.Repeat("x", 900_000)
	for range 2 {
		send(t, nc, "GET /engine.io/?EIO=4&transport=polling&sid="+alice.sid+" HTTP/1.1\r\nHost: x\r\n\r\n")
		server.wantPolling(t)
		server.sendText(long)
		eventually(t, "the server has begun", func() bool { return !server.polling() })
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(res.Body); err != nil || string(body) != "4"+long {
			t.Fatalf("%d bytes, %v", len(body), err)
		}
	}
}

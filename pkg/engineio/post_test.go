package engineio

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// A POST over the limit is told so and ends its session, with a length that is known
// or not, in one piece or in several.
func TestTooLargePostEndsTheSession(t *testing.T) {
	srv := serve(t, Options{MaxPayload: 100})
	body := "4" + strings.Repeat("x", 200)
	for name, request := range map[string]string{
		"at once":     "Content-Length: 201\r\n\r\n" + body,
		"chunked":     "Transfer-Encoding: chunked\r\n\r\nc9\r\n" + body + "\r\n0\r\n\r\n",
		"never sent":  "Content-Length: 1000000000\r\n\r\n",
		"with expect": "Expect: 100-continue\r\nContent-Length: 201\r\n\r\n",
	} {
		alice := dialPolling(t, srv, 4)
		here := srv.accept(t)
		nc := dialRaw(t, srv)
		fmt.Fprintf(nc, "POST /engine.io/?EIO=4&transport=polling&sid=%s HTTP/1.1\r\nHost: x\r\n%s", alice.sid, request)
		res, err := http.ReadResponse(bufio.NewReader(nc), nil)
		if err != nil || res.StatusCode != http.StatusRequestEntityTooLarge || !res.Close {
			t.Errorf("%s: %v, %v", name, res, err)
		}
		if err := here.wantClosed(t, TransportError); !errors.Is(err, errPostTooLarge) {
			t.Errorf("%s: %v", name, err)
		}
		nc.Close()
	}
}

// A body at the limit is taken, a huge one is not read to its end.
func TestPostAtTheLimit(t *testing.T) {
	srv := serve(t, Options{MaxPayload: 1000})
	bob := dialPolling(t, srv, 4)
	server := srv.accept(t)
	most := "4" + strings.Repeat("x", 999)
	bob.post(t, most)
	server.want(t, message(most[1:]))
	if res := bob.do(http.MethodPost, "text/plain", io.LimitReader(zeros{}, 50<<20)); res.status != http.StatusRequestEntityTooLarge && res.err == nil {
		t.Errorf("%d %q", res.status, res.body)
	}
	server.wantClosed(t, TransportError)
}

// A body that comes too late is answered 408, one that ends too early is not taken
// either; both end the session.
func TestBodyThatDoesNotComeIsNotTaken(t *testing.T) {
	srv := serve(t, Options{BodyTimeout: 50 * time.Millisecond})
	for _, early := range []bool{false, true} {
		alice := dialPolling(t, srv, 4)
		here := srv.accept(t)
		nc := dialRaw(t, srv)
		fmt.Fprintf(nc, "POST /engine.io/?EIO=4&transport=polling&sid=%s HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n4abc", alice.sid)
		want, wantErr := http.StatusRequestTimeout, errPostLate
		if early {
			_ = nc.CloseWrite()
			want, wantErr = http.StatusBadRequest, errPostCut
		}
		in := bufio.NewReader(nc)
		res, err := http.ReadResponse(in, nil)
		if err != nil || res.StatusCode != want || !res.Close {
			t.Errorf("early %v: %v, %v", early, res, err)
		}
		if _, err := io.Copy(io.Discard, in); err != nil {
			t.Errorf("early %v: the connection ends with %v", early, err)
		}
		if err := here.wantClosed(t, TransportError); !errors.Is(err, wantErr) {
			t.Errorf("early %v: %v", early, err)
		}
		nc.Close()
	}
}

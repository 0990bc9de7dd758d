//go:build linux

package engineio

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// What was found in other servers of this protocol in 2026. Where an advisory's text could not be had, the
// fault is the one that the release which is said to mend it has mended.

// POSTs of bytes, which protocol 4 does not have, were refused and left their connections and
// sessions behind (engine.io before 6.6.7).
func TestCVE_2026_59725(t *testing.T) {
	srv := serve(t, Options{})
	alice := newBystander(t, srv)
	for range 20 {
		mallory := dialPolling(t, srv, 4)
		server := srv.accept(t)
		if res := mallory.do(http.MethodPost, "application/octet-stream", strings.NewReader("4x")); res.status != http.StatusBadRequest {
			t.Errorf("%d %q", res.status, res.body)
		}
		server.wantClosed(t, TransportError)
		mallory.wantGone(t)
	}
	srv.wantLen(t, 1)
	alice.wantUndisturbed(t)
}

// A session whose polls or POSTs overlap kept the connections of all of them (engine.io before 6.6.9; what
// CVE-2026-59724 says could not be had, this is the other fault that was mended then).
func TestCVE_2026_59724(t *testing.T) {
	srv := serve(t, Options{})
	alice := newBystander(t, srv)
	mallory := dialPolling(t, srv, 4)
	server := srv.accept(t)
	answers := []<-chan response{mallory.startPoll()}
	server.wantPolling(t)
	for range 20 {
		other := *mallory
		other.http = newHTTPClient(t)
		answers = append(answers, other.startPoll())
	}
	for _, answer := range answers { // all of them, and soon
		if res := await(t, answer); res.err == nil && res.status == 0 {
			t.Error("a poll has no answer")
		}
	}
	server.wantClosed(t, TransportError)
	srv.wantLen(t, 1)
	alice.wantUndisturbed(t)
}

// A body that never ends kept its connection for ever (engine.io before 6.6.13, which bounds the time; what
// CVE-2026-102599 says could not be had).
func TestCVE_2026_102599(t *testing.T) {
	srv := serve(t, Options{BodyTimeout: 50 * time.Millisecond})
	alice := newBystander(t, srv)
	mallory := dialPolling(t, srv, 4)
	server := srv.accept(t)
	nc := dialRaw(t, srv)
	defer nc.Close()
	send(t, nc, fmt.Sprintf("POST /engine.io/?EIO=4&transport=polling&sid=%s HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n4x", mallory.sid))
	server.wantClosed(t, TransportError)
	_, _ = io.Copy(io.Discard, nc) // until the server closes it
	alice.wantUndisturbed(t)
}

// A body in very many pieces cost a multiple of its size (engine.io before 6.6.13, which bounds their number; what
// CVE-2026-102600 says could not be had).
func TestCVE_2026_102600(t *testing.T) {
	const size = 50_000
	srv := serve(t, Options{MaxPayload: size})
	alice := newBystander(t, srv)
	mallory := dialPolling(t, srv, 4)
	server := srv.accept(t)
	nc := dialRaw(t, srv)
	defer nc.Close()
	body := "1\r\n4\r\n" + strings.Repeat("1\r\nx\r\n", size-1) + "0\r\n\r\n"
	bytes := allocated(func() {
		send(t, nc, fmt.Sprintf("POST /engine.io/?EIO=4&transport=polling&sid=%s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n%s", mallory.sid, body))
		server.want(t, message(strings.Repeat("x", size-1)))
	})
	if bytes > 60*size { // the test's own copies included
		t.Errorf("a body of %d bytes took %d", size, bytes)
	}
	alice.wantUndisturbed(t)
}

// With a list of origins no page of another one opens a session by <script>, or takes part in one by
// JSONP, whatever it hides.
func TestScriptsOfOtherOriginsAreRefused(t *testing.T) {
	srv := serve(t, Options{Origins: []string{"https://good.example"}})
	anybody := serve(t, Options{})
	const script, other = "Sec-Fetch-Dest: script\nSec-Fetch-Mode: no-cors\n", "Referer: https://evil.example/page\n"
	for _, tt := range []struct {
		name, query, headers string
		allowed              bool
	}{
		{"a script of another site", "&j=0", script + "Sec-Fetch-Site: cross-site\n" + other, false},
		{"one that hides its page", "&j=0", script + "Sec-Fetch-Site: cross-site\n", false},
		{"one of the same site, not the same origin", "&j=0", script + "Sec-Fetch-Site: same-site\n", false},
		{"one in an old browser", "&j=0", other, false},
		{"one in an old browser that hides its page", "&j=0", "", false},
		{"one that says so by Origin", "&j=0", "Origin: https://evil.example\n", false},
		{"one that names a good page in its own", "&j=0", "Referer: https://evil.example/https://good.example/\n", false},
		{"one whose host begins alike", "&j=0", "Referer: https://good.example.evil.example/\n", false},
		{"one with a name before the host", "&j=0", "Referer: https://good.example@evil.example/\n", false},
		{"j is empty", "&j", other, false},
		{"not for JSONP", "", script + "Sec-Fetch-Site: cross-site\n" + other, false},
		{"an image", "", "Sec-Fetch-Dest: image\nSec-Fetch-Mode: no-cors\nSec-Fetch-Site: cross-site\n", false},

		{"a page of the list", "&j=0", script + "Sec-Fetch-Site: cross-site\nReferer: https://good.example/page\n", true},
		{"a page of the list in an old browser", "&j=0", "Referer: https://good.example/\n", true},
		{"a page of this host", "&j=0", "Referer: http://chat.example/\n", true},
		{"a page of this host that hides itself", "&j=0", script + "Sec-Fetch-Site: same-origin\n", true},
		{"the address bar", "", "Sec-Fetch-Site: none\n", true},
		{"no browser", "", "", true},
		{"XMLHttpRequest of this host", "", "Sec-Fetch-Site: same-origin\nSec-Fetch-Mode: cors\n", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := srv.Len()
			res := srv.send(t, "GET", "EIO=3&transport=polling"+tt.query, tt.headers)
			want := http.StatusForbidden
			if tt.allowed {
				want = http.StatusOK
			}
			if opened := srv.Len() - before; res.status != want || (opened == 1) != tt.allowed {
				t.Errorf("%d, %d sessions opened", res.status, opened)
			}
			if res := anybody.send(t, "GET", "EIO=3&transport=polling"+tt.query, tt.headers); res.status != http.StatusOK {
				t.Errorf("without a list: %d", res.status)
			}
		})
	}

	// A session that is there is no way around it.
	bob := dialPolling(t, srv, 3)
	if res := srv.send(t, "GET", "EIO=3&transport=polling&j=0&sid="+bob.sid, other); res.status != http.StatusForbidden {
		t.Errorf("a poll by a script of another origin: %d", res.status)
	}
}

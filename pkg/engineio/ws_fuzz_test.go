package engineio

import (
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
)

// FuzzWebSocketReader: whatever comes, the reader ends, keeps its limits, and
// does not care how the bytes were split.
func FuzzWebSocketReader(f *testing.F) {
	for _, tt := range frameTests {
		if len(tt.in) < 1000 {
			f.Add(tt.in, uint8(1))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, n uint8) {
		want := readAll(t, feed(data), 1000)
		if got := readAll(t, feedBy(data, int(n)+1), 1000); !slices.Equal(got, want) {
			t.Errorf("%d bytes at a time:\n got %.500q\nwant %.500q", int(n)+1, got, want)
		}
	})
}

// FuzzConnection: whatever mallory sends to a live server, over WebSocket or as
// a POST, alice's conversation goes on undisturbed.
func FuzzConnection(f *testing.F) {
	for _, tt := range frameTests {
		if len(tt.in) < 1000 {
			f.Add(tt.in, true, false)
		}
	}
	for _, body := range []string{"4hello\x1e4again", "6:4hello", "2:4a0:", "\x00\x02\xff4a\x01\x02\xff\x04b", "d=4%5Cn", "b4AQI=", "1", ":", "9", ""} {
		f.Add([]byte(body), false, false)
		f.Add([]byte(body), false, true)
	}
	srv := serve(f, Options{MaxPayload: 1000})
	alice := dialWebSocket(f, srv, 4)
	aliceHere := srv.accept(f)
	client := newHTTPClient(f)
	var chat sync.Mutex // fuzz workers of one process take turns
	f.Fuzz(func(t *testing.T, data []byte, overWebSocket, protocol3 bool) {
		chat.Lock()
		defer chat.Unlock()
		protocol := 4
		if protocol3 {
			protocol = 3
		}
		if overWebSocket {
			mallory := dialWebSocket(t, srv, protocol)
			_ = mallory.tryWrite(data)
			_ = mallory.ws.NetConn().(*net.TCPConn).CloseWrite() // the server may be gone
			for err := error(nil); err == nil; {
				_, _, err = mallory.tryRead()
			}
			mallory.cut()
		} else {
			mallory := &pollClient{http: client, url: srv.url("http", "EIO="+string(rune('0'+protocol))+"&transport=polling")}
			mallory.url += "&sid=" + sid(mallory.poll(t))
			contentType := "text/plain"
			if len(data) > 0 && data[0] < 2 {
				contentType = "application/octet-stream"
			}
			if res := mallory.do("POST", contentType, strings.NewReader(string(data))); res.err != nil {
				t.Errorf("POST: %v", res.err)
			}
			mallory.tryPost(map[int]string{3: "1:1", 4: "1"}[protocol]) // the close packet
		}
		server := srv.accept(t)
		server.mu.Lock()
		server.forget = true
		server.mu.Unlock()
		if e := <-server.ended; server.broken != "" {
			t.Errorf("%v: %s", e, server.broken)
		}
		alice.sendText(t, "4how are you")
		aliceHere.want(t, "how are you")
		aliceHere.sendText("fine")
		alice.wantText(t, "4fine")
	})
}

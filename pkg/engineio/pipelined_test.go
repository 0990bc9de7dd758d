//go:build linux

package engineio

import (
	"bufio"
	"fmt"
	"testing"
)

// A POST behind a poll that waits may be what the poll waits for: the poll is answered
// with nothing, the POST is taken, and the next poll tells what came of it. An empty
// line is no request.
func TestPostBehindWaitingPoll(t *testing.T) {
	for i, srv := range oddServers(t) {
		t.Run([]string{"front", "net/http"}[i], func(t *testing.T) {
			alice := dialPolling(t, srv, 4)
			server := srv.accept(t)
			nc := dialRaw(t, srv)
			defer nc.Close()
			in := bufio.NewReader(nc)
			const head = " /engine.io/?EIO=4&transport=polling&sid=%s HTTP/1.1\r\nHost: x\r\n"
			poll := fmt.Sprintf("GET"+head+"\r\n", alice.sid)
			send(t, nc, poll)
			wantBody(t, in, "4hi")
			for range 5 {
				send(t, nc, poll)
				server.wantPolling(t)
				send(t, nc, "\r\n")
				send(t, nc, fmt.Sprintf("POST"+head+"Content-Length: 2\r\n\r\n4x", alice.sid))
				wantBody(t, in, "6")
				wantBody(t, in, "ok")
				send(t, nc, poll)
				wantBody(t, in, "4x")
			}
			send(t, nc, poll)
			server.wantPolling(t)
			send(t, nc, "\r\n")
			server.sendText("woken by a message, not by the empty line")
			wantBody(t, in, "4woken by a message, not by the empty line")
		})
		srv.each((*Conn).Discard)
	}
}

package main

import (
	"bytes"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	"github.com/redis/go-redis/v9"

	"socketio-chat/pkg/logs/logtest"
)

// TestNothingPrivateIsLogged chats, well and badly, with a mark in everything that is nobody's
// business: messages, tokens, passwords. At the level debug the log must not contain it.
func TestNothingPrivateIsLogged(t *testing.T) {
	t.Chdir(t.TempDir())
	const mark = "s3cr3t-m4rk"
	// A token where none belongs: as a name, a namespace, a session id, an event.
	const misplaced = "eyJhbGciOiJIUzI1NiJ9.eyJuYW1lIjoi" + "czNjcjN0"
	settings := startRedis(t)
	host, port := strings.TrimPrefix(settings[0], "REDIS_HOST="), strings.TrimPrefix(settings[1], "REDIS_PORT=")
	client := redis.NewClient(&redis.Options{Addr: net.JoinHostPort(host, port)})
	defer client.Close()
	if err := client.ConfigSet(t.Context(), "requirepass", mark).Err(); err != nil {
		t.Fatal(err)
	}
	log := new(logtest.Buffer)
	in := startLogged(t, log, "DRAIN_SECONDS=0", "REDIS_URL=redis://:"+mark+"@"+net.JoinHostPort(host, port))
	eventually(t, "the server has joined", func() bool { return in.ready(t) })

	header := http.Header{
		"Authorization": {"Bearer " + mark}, "Cookie": {"session=" + mark}, "Origin": {"http://" + mark + ".example"},
	}
	dialer := ws.Dialer{Header: ws.HandshakeHeaderHTTP(header)}
	dial := func(query string) func(packets ...string) {
		conn, _, _, err := dialer.Dial(t.Context(), "ws://"+in.listening.Addr+"/socket.io/?transport=websocket&token="+mark+query)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return func(packets ...string) {
			for _, p := range packets {
				if wsutil.WriteClientText(conn, []byte(p)) != nil {
					break // closed: that is what some of them are for
				}
			}
			for end := false; !end; { // until it has been dealt with
				text, err := wsutil.ReadServerText(conn)
				end = err != nil || bytes.Contains(text, []byte("done"))
			}
		}
	}
	auth := `40/chat,{"token":"` + mark + `"}`
	done := `42/chat,["msgToServer","done"]`
	dial("&EIO=4")(auth, `42/chat,["msgToServer",{"name":"`+mark+`","text":"`+mark+`"}]`, `42/chat,7["`+mark+`","`+mark+`"]`, done)
	dial("&EIO=3")("40/chat?token="+mark+",", `42/chat?token=`+mark+`,["msgToServer","`+mark+`"]`, `42/chat,["msgToServer","done"]`)
	for _, bad := range []string{
		`42/chat,["msgToServer",` + mark, `42/chat,{"` + mark + `":1}`, `42/chat,["connect","` + mark + `"]`, `49` + mark, mark,
		`40/chat,"` + mark + `"`, `451-/chat,["` + mark + `"]`, `43/chat,1["` + mark + `"]`,
	} {
		dial("&EIO=4")(auth, bad, done, "41/chat,", "49") // the last of all ends the connection
	}
	for _, bad := range []string{
		"40/" + misplaced + ",", `42/` + misplaced + `,["x"]`, "40/chat?username=" + misplaced + ",", `42/chat,["` + misplaced + `"]`, misplaced,
		`42/chat,["connect_error","` + misplaced + `"]`, "45" + misplaced + "-", "40/" + strings.Repeat("long", 100_000) + ",",
	} {
		dial("&EIO=4&username="+misplaced)(auth, bad, done, "41/chat,", "49")
		dial("&EIO=3&username="+misplaced)(bad, "49")
	}
	p := startPolling(t, in)
	p.post(auth, `42/chat,["msgToServer","`+mark+`"]`)
	p.pollUntil(mark)
	p.post("1") // or the end would wait for its farewell
	for _, path := range []string{"/socket.io/?EIO=4&transport=polling&sid=" + mark, "/socket.io/?transport=" + mark, "/socket.io/?EIO=4&transport=polling&sid=" + misplaced, "/" + mark, "/readyz?" + mark} {
		get(t, "http://"+in.listening.Addr+path)
	}
	in.stop()
	if err := <-in.result; err != nil {
		t.Error(err)
	}

	text := log.String()
	for _, want := range []string{"connection opened", "invalid packet", "request refused", "stopped"} {
		if !strings.Contains(text, want) {
			t.Errorf("the log does not say %q: it is not the log that is meant", want)
		}
	}
	for line := range strings.Lines(text) {
		if strings.Contains(line, mark) || strings.Contains(line, misplaced[:20]) || strings.Contains(line, "czNjcjN0") {
			t.Errorf("logged: %.300s", line)
		}
		if len(line) > 4<<10 {
			t.Errorf("a line of %d bytes: %.300s", len(line), line)
		}
	}
}

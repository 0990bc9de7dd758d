//go:build linux

package client

import (
	"strings"
	"testing"
)

const (
	poll4 = "/socket.io/?EIO=4&transport=polling&username=alice"
	poll3 = "/socket.io/?EIO=3&transport=polling&username=alice"
)

func TestPollingSession(t *testing.T) {
	s := newStage(t, 4, Polling)
	get := s.accept()
	get.wantRequest("GET", poll4, "")
	get.answer("0" + hello)
	post := s.accept()
	post.wantRequest("POST", poll4+"&sid=S1", "40/chat,")
	get.wantRequest("GET", poll4+"&sid=S1", "")
	// While a POST is under way, what is sent waits and goes together.
	s.do(func() {
		s.c.Send([]byte(`2/chat,["msgToServer",1]`))
		s.c.Send([]byte(`2/chat,["msgToServer",2]`))
	})
	post.answer("ok")
	post.wantRequest("POST", poll4+"&sid=S1", `42/chat,["msgToServer",1]`+"\x1e"+`42/chat,["msgToServer",2]`)
	get.answer(`40/chat,{"sid":"N1"}` + "\x1e" + `42/chat,["a"]` + "\x1e2")
	within(t, "join", s.rec.joined)
	s.wantPacket(`2/chat,["a"]`)
	post.answer("ok")
	post.wantRequest("POST", poll4+"&sid=S1", "3")
	get.wantRequest("GET", poll4+"&sid=S1", "")
}

func TestPollingSessionOfProtocol3(t *testing.T) {
	s := newStage(t, 3, Polling)
	get := s.accept()
	get.wantRequest("GET", poll3+"&b64=1", "")
	get.answer(counted("0"+hello, "40"))
	post := s.accept()
	post.wantRequest("POST", poll3+"&sid=S1&b64=1", "23:40/chat?username=alice,")
	get.wantRequest("GET", poll3+"&sid=S1&b64=1", "")
	get.answer("7:40/chat" + `15:42/chat,["안😀"]`)
	within(t, "join", s.rec.joined)
	s.wantPacket(`2/chat,["안😀"]`)
}

// A server may close an idle connection just when the client uses it again.
func TestRequestOnAClosedConnectionIsMadeAgain(t *testing.T) {
	s := newStage(t, 4, Polling)
	get := s.accept()
	get.wantRequest("GET", poll4, "")
	get.answer("0" + hello)
	post := s.accept()
	post.wantRequest("POST", poll4+"&sid=S1", "40/chat,")
	get.wantRequest("GET", poll4+"&sid=S1", "")
	post.answer("ok")
	post.Close()
	s.do(func() { s.c.Send([]byte(`2/chat,["again"]`)) })
	post = s.accept()
	post.wantRequest("POST", poll4+"&sid=S1", `42/chat,["again"]`)
}

func TestConnectionCloseIsHeeded(t *testing.T) {
	s := newStage(t, 4, Polling)
	get := s.accept()
	get.wantRequest("GET", poll4, "")
	body := "0" + hello
	if _, err := get.Write([]byte("HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n" +
		"75\r\n" + body + strings.Repeat(" ", 0x75-len(body)) + "\r\n0\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	// The POST and the next GET need new connections, in either order.
	for range 2 {
		if line, err := s.accept().r.ReadString('\n'); err != nil || !strings.Contains(line, "sid=S1") {
			t.Errorf("%q, %v", line, err)
		}
	}
}

func TestPollingFailures(t *testing.T) {
	for _, tt := range []struct{ name, wire, want string }{
		{"refused", "HTTP/1.1 400 Bad Request\r\nContent-Length: 41\r\n\r\n" + `{"code":0,"message":"Transport unknown"}` + " ", "Transport unknown"},
		{"no handshake", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n6", "no handshake"},
		{"unasked", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n6junk", "handshake"},
		{"cut", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n6", "EOF"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newStage(t, 4, Polling)
			get := s.accept()
			get.wantRequest("GET", poll4, "")
			if _, err := get.Write([]byte(tt.wire)); err != nil {
				t.Fatal(err)
			}
			get.Close()
			if err := within(t, "end", s.rec.left); !strings.Contains(err.Error(), tt.want) {
				t.Errorf("left with %q, want something of %q", err, tt.want)
			}
		})
	}
}

func TestUpgrade(t *testing.T) {
	s := newStage(t, 4, Upgrade)
	get := s.accept()
	get.wantRequest("GET", poll4, "")
	get.answer("0" + hello)
	post := s.accept()
	post.wantRequest("POST", poll4+"&sid=S1", "40/chat,")
	w := s.accept()
	w.upgrade("/socket.io/?EIO=4&transport=websocket&username=alice&sid=S1")
	w.wantText("2probe")
	get.wantRequest("GET", poll4+"&sid=S1", "")
	get.answer(`40/chat,{"sid":"N1"}`)
	get.wantRequest("GET", poll4+"&sid=S1", "")
	w.text("3probe")
	// A message sent now waits: polling is coming to rest.
	s.do(func() {}) // the probe's answer may still be on its way; what follows holds either way
	post.answer("ok")
	get.answer(`42/chat,["last of polling"]` + "\x1e6")
	s.wantPacket(`2/chat,["last of polling"]`)
	w.wantText("5")
	within(t, "join", s.rec.joined)
	s.do(func() { s.c.Send([]byte(`2/chat,["x"]`)) })
	w.wantText(`42/chat,["x"]`)
	w.text(`42/chat,["y"]`)
	s.wantPacket(`2/chat,["y"]`)
	if _, err := get.r.ReadByte(); err == nil {
		t.Error("polling goes on after the upgrade")
	}
}

// What was sent while polling came to rest follows on the WebSocket, in order.
func TestUpgradeKeepsWhatIsSentMeanwhile(t *testing.T) {
	for _, protocol := range []int{3, 4} {
		s := newStage(t, protocol, Upgrade)
		get, u := s.accept(), (*upgrade)(nil)
		get.wantRequest("GET", map[int]string{3: poll3 + "&b64=1", 4: poll4}[protocol], "")
		if body := "0" + hello; protocol == 3 {
			get.answer(counted(body))
		} else {
			get.answer(body)
		}
		post := s.accept()
		w := s.accept()
		w.upgrade(strings.Replace(map[int]string{3: poll3, 4: poll4}[protocol], "polling", "websocket", 1) + "&sid=S1")
		w.wantText("2probe")
		s.do(func() {
			u = s.c.carrier.(*polling).upgrade
			u.answered([]byte("3probe"), 1)
			s.c.Send([]byte(`2/chat,["안"]`))
			s.c.Send([]byte(`2/chat,["b"]`))
		})
		post.answer("ok")
		get.answer(map[int]string{3: "1:6", 4: "6"}[protocol])
		w.wantText("5")
		w.wantText(`42/chat,["안"]`)
		w.wantText(`42/chat,["b"]`)
	}
}

func TestFailedUpgradeLeavesPolling(t *testing.T) {
	s := newStage(t, 4, Upgrade)
	get := s.accept()
	get.wantRequest("GET", poll4, "")
	get.answer("0" + hello)
	post := s.accept()
	post.wantRequest("POST", poll4+"&sid=S1", "40/chat,")
	w := s.accept()
	w.upgrade("/socket.io/?EIO=4&transport=websocket&username=alice&sid=S1")
	w.wantText("2probe")
	w.text("1") // not what was hoped for
	get.wantRequest("GET", poll4+"&sid=S1", "")
	get.answer(`40/chat,{"sid":"N1"}`)
	within(t, "join", s.rec.joined)
	get.wantRequest("GET", poll4+"&sid=S1", "")
	get.answer(`42/chat,["still here"]`)
	s.wantPacket(`2/chat,["still here"]`)
}

func TestSessionEndsDuringUpgrade(t *testing.T) {
	s := newStage(t, 4, Upgrade)
	get := s.accept()
	get.wantRequest("GET", poll4, "")
	get.answer("0" + hello)
	post := s.accept()
	post.wantRequest("POST", poll4+"&sid=S1", "40/chat,")
	w := s.accept()
	w.upgrade("/socket.io/?EIO=4&transport=websocket&username=alice&sid=S1")
	w.wantText("2probe")
	get.wantRequest("GET", poll4+"&sid=S1", "")
	get.answer("1")
	if err := within(t, "end", s.rec.left); !strings.Contains(err.Error(), "closed the session") {
		t.Errorf("left with %v", err)
	}
	if _, err := w.r.ReadByte(); err == nil {
		w.r.ReadByte() // a close frame may come first
	}
}

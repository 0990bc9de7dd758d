package main

import (
	"errors"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

// poller is a client of protocol 4 that does everything by hand.
type poller struct {
	t    testing.TB
	url  string // with the session's id
	open string // the packet that opened the session
}

func startPolling(t testing.TB, in *instance) *poller {
	t.Helper()
	p := &poller{t: t, url: "http://" + in.listening.Addr + "/socket.io/?EIO=4&transport=polling"}
	p.open = p.poll()
	sid := regexp.MustCompile(`"sid":"([^"]+)"`).FindStringSubmatch(p.open)
	if sid == nil {
		t.Fatalf("no session: %s", p.open)
	}
	p.url += "&sid=" + sid[1]
	return p
}

func (p *poller) poll() string {
	p.t.Helper()
	status, text := get(p.t, p.url)
	if status != http.StatusOK {
		p.t.Fatalf("poll: %d %s", status, text)
	}
	return "\x1e" + text + "\n"
}

// pollUntil collects what comes, each packet after a separator and each answer with a
// line end, until it contains the text.
func (p *poller) pollUntil(text string) string {
	p.t.Helper()
	var all strings.Builder
	for !strings.Contains(all.String(), text) {
		all.WriteString(p.poll())
	}
	return all.String()
}

// pollUntilLetGo polls until its session is over, and returns what came before.
func (p *poller) pollUntilLetGo() string {
	p.t.Helper()
	var all strings.Builder
	for {
		status, text := get(p.t, p.url)
		if status == http.StatusBadRequest && strings.Contains(text, "Session ID unknown") {
			return all.String()
		}
		if status != http.StatusOK {
			p.t.Fatalf("poll: %d %s", status, text)
		}
		all.WriteString(text + "\n")
	}
}

func (p *poller) post(packets ...string) {
	p.t.Helper()
	answer, err := http.Post(p.url, "text/plain;charset=UTF-8", strings.NewReader(strings.Join(packets, "\x1e")))
	if err != nil {
		p.t.Fatal(err)
	}
	defer answer.Body.Close()
	if text, _ := io.ReadAll(answer.Body); string(text) != "ok" {
		p.t.Fatalf("POST: %d %s", answer.StatusCode, text)
	}
}

const joinNotice = `42/chat,["msgToClient",{"name":"admin","text":"join chat."}]`

func TestChatWithDefaults(t *testing.T) {
	t.Chdir(t.TempDir())
	in := startInstance(t)
	p := startPolling(t, in)
	if want := `"upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}`; !strings.HasSuffix(p.open, want+"\n") {
		t.Errorf("opened with %s, want it to end with %s", p.open, want)
	}
	p.post("40/chat,")
	p.pollUntil(joinNotice)
	p.post(`42/chat,["msgToServer",{"z":1,"a":"안녕"}]`)
	p.pollUntil(`42/chat,["msgToClient",{"z":1,"a":"안녕"}]`)

	// What is queued when the server is told to end, and the end itself, reach a client
	// that polls only then.
	p.post(`42/chat,["msgToServer","last words"]`)
	in.stop()
	if last := p.pollUntilLetGo(); !strings.Contains(last, "last words") {
		t.Errorf("the last polls got %q", last)
	}
	if err := <-in.result; err != nil {
		t.Errorf("ended with %v", err)
	}
}

// A WebSocket ends in order when the server is told to end: behind what was queued, and
// without a close frame, after which some clients would not notice.
func TestClientsAreLetGo(t *testing.T) {
	t.Chdir(t.TempDir())
	in := startInstance(t)
	c, buffered, _, err := ws.Dial(t.Context(), "ws://"+in.listening.Addr+"/socket.io/?EIO=4&transport=websocket")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	conn := struct {
		io.Reader
		io.Writer
	}{c, c}
	if buffered != nil {
		conn.Reader = io.MultiReader(buffered, c)
	}
	if err := wsutil.WriteClientText(conn, []byte("40/chat,")); err != nil {
		t.Fatal(err)
	}
	var last string
	for last != joinNotice {
		text, err := wsutil.ReadServerText(conn)
		if err != nil {
			t.Fatal(err)
		}
		last = string(text)
	}
	in.stop()
	for err == nil {
		_, err = wsutil.ReadServerText(conn)
	}
	if !errors.Is(err, io.EOF) {
		t.Errorf("the connection ended with %v", err)
	}
	if err := <-in.result; err != nil {
		t.Errorf("ended with %v", err)
	}
}

func TestSettingsReachTheirParts(t *testing.T) {
	t.Chdir(t.TempDir())
	in := startInstance(t, "PING_INTERVAL_MS=30000", "PING_TIMEOUT_MS=7000", "MAX_PAYLOAD_BYTES=5000",
		"TRANSPORTS=polling", "CHAT_JOIN_NOTICE=false", "CORS_ORIGINS=http://a.example")
	p := startPolling(t, in)
	if want := `"upgrades":[],"pingInterval":30000,"pingTimeout":7000,"maxPayload":5000}`; !strings.HasSuffix(p.open, want+"\n") {
		t.Errorf("opened with %s, want it to end with %s", p.open, want)
	}
	p.post("40/chat,", `42/chat,["msgToServer","hello"]`)
	if got := p.pollUntil(`["msgToClient","hello"]`); strings.Contains(got, "join chat.") {
		t.Errorf("the join was announced: %s", got)
	}
	for origin, want := range map[string]string{"http://a.example": "http://a.example", "http://b.example": ""} {
		for _, path := range []string{"/socket.io/socket.io.js", "/socket.io/?EIO=4&transport=polling"} {
			request, err := http.NewRequest(http.MethodGet, "http://"+in.listening.Addr+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Origin", origin)
			answer, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			if got := answer.Header.Get("Access-Control-Allow-Origin"); got != want {
				t.Errorf("%s from %s: allowed origin %q", path, origin, got)
			}
		}
	}
}

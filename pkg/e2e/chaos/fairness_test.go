package chaos

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"socketio-chat/pkg/testenv"
)

var fairFor = flag.Duration("fair", 300*time.Millisecond, "how long each attack of TestFairness lasts")

// bystanders is how many talk while somebody floods the server, each so often.
const (
	bystanders     = 10
	bystanderPause = 50 * time.Millisecond
)

// TestFairness floods a server, from one client, in all ways that cost the client least, while others talk. All of
// them hear all they say. It tells how long their echoes take beside those of the same server when it was quiet, just
// before: what else the machine does changes with time. -fair 10s gives figures that mean something.
func TestFairness(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; run without -short")
	}
	env := append(os.Environ(), "HOST=127.0.0.1", "NODE_PORT=0", "METRICS_ADDR=127.0.0.1:0", "LOG_FORMAT=json", "CHAT_JOIN_NOTICE=false",
		"TRUSTED_PROXIES=127.0.0.1") // so that everybody has an address, and the flood one of its own
	p := start(t, "server", nil, env, testenv.Server(t))
	var line struct{ Addr string }
	if err := json.Unmarshal([]byte(p.says(t, `"listening"`)), &line); err != nil {
		t.Fatal(err)
	}
	var report strings.Builder
	for _, a := range attacks {
		_, quiet := percentiles(converse(t, line.Addr))
		ctx, cancel := context.WithCancel(t.Context())
		var flood sync.WaitGroup
		flood.Go(func() {
			for ctx.Err() == nil {
				a.flood(ctx, line.Addr) // until it is closed; then it comes again
			}
		})
		echoes := converse(t, line.Addr)
		cancel()
		flood.Wait()
		p50, p99 := percentiles(echoes)
		fmt.Fprintf(&report, "%-28s %6d echoes  p50 %10v  p99 %10v  quiet p99 %10v  %5.1f times quiet\n", a.name, len(echoes),
			p50.Round(time.Microsecond), p99.Round(time.Microsecond), quiet.Round(time.Microsecond), float64(p99)/float64(quiet))
	}
	t.Logf("\n%s", &report)
}

// percentiles are the median of sorted times, and what one in a hundred exceeds.
func percentiles(sorted []time.Duration) (p50, p99 time.Duration) {
	return sorted[len(sorted)/2], sorted[len(sorted)*99/100]
}

// converse lets the bystanders talk, and returns how long their echoes took, sorted.
func converse(t *testing.T, addr string) []time.Duration {
	t.Helper()
	var mu sync.Mutex
	var all []time.Duration
	var talk sync.WaitGroup
	for i := range bystanders {
		talk.Go(func() {
			c, err := enterChat(t.Context(), addr, fmt.Sprintf("198.51.100.%d", i))
			if err != nil {
				t.Errorf("bystander %d: %v", i, err)
				return
			}
			defer c.Close()
			for n, end := 0, time.Now().Add(*fairFor); time.Now().Before(end) || n < 3; n++ {
				said := fmt.Sprintf(`{"name":"b%d","text":"%d"}`, i, n)
				began := time.Now()
				if err := c.echo(said); err != nil {
					t.Errorf("bystander %d waited for its word %d: %v", i, n, err)
					return
				}
				mu.Lock()
				all = append(all, time.Since(began))
				mu.Unlock()
				time.Sleep(bystanderPause) // its pace, nothing that it waits for
			}
		})
	}
	talk.Wait()
	slices.Sort(all)
	if len(all) == 0 {
		t.Fatal("nobody heard anything")
	}
	return all
}

// A chatter is a client in the chat.
type chatter struct {
	net.Conn
	read io.Reader
}

// floodAddress is where all floods come from.
const floodAddress = "203.0.113.1"

// enterChat joins the chat, from an address as a proxy tells it.
func enterChat(ctx context.Context, addr, from string) (*chatter, error) {
	header := ws.HandshakeHeaderHTTP{"X-Forwarded-For": {from}}
	conn, br, _, err := ws.Dialer{Timeout: patience, Header: header}.Dial(ctx, "ws://"+addr+"/socket.io/?EIO=4&transport=websocket")
	if err != nil {
		return nil, err
	}
	c := &chatter{conn, bufio.NewReader(conn)}
	if br != nil {
		c.read = bufio.NewReader(io.MultiReader(br, conn))
	}
	if err := c.say("40/chat,"); err != nil {
		return nil, err
	}
	return c, c.until("40/chat,")
}

func (c *chatter) say(packet string) error { return wsutil.WriteClientText(c.Conn, []byte(packet)) }

func (c *chatter) echo(said string) error {
	if err := c.say(`42/chat,["msgToServer",` + said + `]`); err != nil {
		return err
	}
	return c.until(`42/chat,["msgToClient",` + said)
}

// until reads up to what begins with a text, answering heartbeats.
func (c *chatter) until(text string) error {
	for {
		if err := c.SetReadDeadline(time.Now().Add(patience)); err != nil {
			return err
		}
		f, err := ws.ReadFrame(c.read)
		switch {
		case err != nil:
			return err
		case f.Header.OpCode == ws.OpClose:
			return fmt.Errorf("closed: %q", f.Payload)
		case string(f.Payload) == "2":
			if err := c.say("3"); err != nil {
				return err
			}
		case strings.HasPrefix(string(f.Payload), text):
			return nil
		}
	}
}

// attacks are the floods. Each lasts until the server closes it or ctx ends.
var attacks = []struct {
	name  string
	flood func(ctx context.Context, addr string)
}{
	{"messages of a byte", frames(textFrame(`42/chat,["msgToServer","x"]`))},
	{"frames of a byte", frames(ws.NewFrame(ws.OpContinuation, false, []byte("x")), textBegin)},
	{"pings", frames(ws.NewPingFrame(nil))},
	{"noops", frames(textFrame("6"))},
	{"joins and leaves", frames(textFrame("41/chat,"), textFrame("40/chat,"))},
	{"a thousand arguments", frames(textFrame(`42/chat,["msgToServer"` + strings.Repeat(",0", 999) + `]`))},
	{"half a million arguments", frames(textFrame(`42/chat,["msgToServer"` + strings.Repeat(",0", 480_000) + `]`))},
	{"messages of 900 KB", frames(textFrame(`42/chat,["msgToServer","` + strings.Repeat("x", 900_000) + `"]`))},
	{"handshakes", handshakes},
	{"POSTs of many messages", posts},
}

func textFrame(text string) ws.Frame { return ws.NewTextFrame([]byte(text)) }

// textBegin begins a message that others go on with.
var textBegin = ws.NewFrame(ws.OpText, false, []byte("4"))

// frames floods with one frame, or two by turns; one that is not final is sent first, once.
func frames(list ...ws.Frame) func(context.Context, string) {
	var begin, flood bytes.Buffer
	for _, f := range list {
		to := &flood
		if f.Header.OpCode == ws.OpText && !f.Header.Fin {
			to = &begin
		}
		_ = ws.WriteFrame(to, ws.MaskFrame(f)) // into memory
	}
	many := bytes.Repeat(flood.Bytes(), max(1, 64<<10/flood.Len()))
	return func(ctx context.Context, addr string) {
		c, err := enterChat(ctx, addr, floodAddress)
		if err != nil {
			return
		}
		defer context.AfterFunc(ctx, func() { _ = c.Close() })()
		defer c.Close()
		go func() { _, _ = io.Copy(io.Discard, c.read) }() // until it is closed
		_, err = c.Write(begin.Bytes())
		for err == nil {
			_, err = c.Write(many)
		}
	}
}

// handshakes opens sessions and does nothing with them.
func handshakes(ctx context.Context, addr string) {
	get(ctx, http.MethodGet, "http://"+addr+"/socket.io/?EIO=4&transport=polling", "")
}

// posts sends as many messages as a body takes, over and over.
func posts(ctx context.Context, addr string) {
	url := "http://" + addr + "/socket.io/?EIO=4&transport=polling"
	var open struct{ SID string }
	if answer := get(ctx, http.MethodGet, url, ""); len(answer) < 2 || json.Unmarshal([]byte(answer[1:]), &open) != nil {
		return
	}
	url += "&sid=" + open.SID
	get(ctx, http.MethodPost, url, "40/chat,")
	body := strings.Repeat("42/chat,[\"msgToServer\",1]\x1e", 30_000) + "6"
	for ctx.Err() == nil && get(ctx, http.MethodPost, url, body) == "ok" {
	}
}

// get makes a request and returns the body of the answer; empty if there is none.
func get(ctx context.Context, method, url, body string) string {
	r, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return ""
	}
	r.Header.Set("X-Forwarded-For", floodAddress)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return ""
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(answer.Body)
	return string(text)
}

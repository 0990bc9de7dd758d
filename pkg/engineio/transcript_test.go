package engineio

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
)

// A transcriptLine is what testdata/transcripts/record.cjs writes.
type transcriptLine struct {
	ID                  int
	Method, Query, Type string // a request
	Status              int    // its answer
	Cut                 bool   // its end by the client
	Open                string // a WebSocket
	From                string // a message on it
	Close               bool   // its end by the client
	Body, Hex           string
}

func (l transcriptLine) content(t testing.TB) string {
	if l.Hex == "" {
		return l.Body
	}
	b, err := hex.DecodeString(l.Hex)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func readTranscript(t testing.TB, name string) (lines []transcriptLine) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for scanner := bufio.NewScanner(f); scanner.Scan(); {
		var l transcriptLine
		if err := json.Unmarshal(scanner.Bytes(), &l); err != nil {
			t.Fatalf("%s, line %d: %v", name, len(lines)+1, err)
		}
		lines = append(lines, l)
	}
	return lines
}

// What each generation of the real client said to Node's server, our server
// answers like Node's did.
func TestTranscripts(t *testing.T) {
	names, err := filepath.Glob("testdata/transcripts/*.jsonl")
	if err != nil || len(names) == 0 {
		t.Fatal("no transcripts", err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".jsonl"), func(t *testing.T) {
			srv := serve(t, Options{})
			r := &replay{t: t, srv: srv, client: newHTTPClient(t), pending: map[int]chan response{}, sockets: map[int]*wsClient{}}
			for i, l := range readTranscript(t, name) {
				r.line = i + 1
				r.say(l)
			}
			r.server.wantClosed(t, TransportClose)
		})
	}
}

// A replay says the client's part of one transcript.
type replay struct {
	t       *testing.T
	srv     *testServer
	client  *http.Client
	line    int
	sid     string
	server  *peer // once the session is open
	pending map[int]chan response
	sockets map[int]*wsClient
}

func (r *replay) say(l transcriptLine) {
	r.t.Helper()
	switch {
	case l.Method != "":
		ch := make(chan response, 1)
		r.pending[l.ID] = ch
		url := r.srv.url("http", strings.ReplaceAll(l.Query, "SID", r.sid))
		body := l.content(r.t)
		go func() { ch <- request(r.client, l.Method, url, l.Type, strings.NewReader(body)) }()
		if l.Method == http.MethodGet && r.server != nil {
			eventually(r.t, "the poll is there", func() bool { return len(ch) > 0 || r.server.polling() })
		}
	case l.Status != 0:
		res := await(r.t, r.pending[l.ID])
		r.opened(res.body)
		if res.status != l.Status || r.hide(res.body) != l.content(r.t) || res.header.Get("Content-Type") != l.Type {
			r.t.Fatalf("line %d: answered %d %s %q, %v; want %+v", r.line, res.status, res.header.Get("Content-Type"), res.body, res.err, l)
		}
	case l.Open != "":
		r.sockets[l.ID] = dialPlain(r.t, r.srv, strings.ReplaceAll(l.Open, "SID", r.sid))
	case l.From == "client" && l.Hex != "":
		r.sockets[l.ID].sendBinary(r.t, []byte(l.content(r.t)))
	case l.From == "client":
		r.sockets[l.ID].sendText(r.t, l.Body)
	case l.From == "server":
		typ, data, err := r.sockets[l.ID].tryRead()
		r.opened(string(data))
		if err != nil || (typ == websocket.BinaryMessage) != (l.Hex != "") || r.hide(string(data)) != l.content(r.t) {
			r.t.Fatalf("line %d: got %q, %v; want %+v", r.line, data, err, l)
		}
	case l.Close:
		r.sockets[l.ID].write(r.t, masked(0x88, nil))
		r.sockets[l.ID].wantCloseFrame(r.t, 1005, "")
		r.sockets[l.ID].wantEOF(r.t)
	default:
		r.t.Fatalf("line %d: what is %+v?", r.line, l)
	}
}

// opened takes note of the session when its open packet comes.
func (r *replay) opened(data string) {
	if r.server == nil && strings.Contains(data, `"sid"`) {
		r.sid = sid(data)
		r.server = r.srv.accept(r.t)
		r.server.echo()
	}
}

// hide puts SID where the session's id is.
func (r *replay) hide(s string) string { return strings.ReplaceAll(s, r.sid, "SID") }

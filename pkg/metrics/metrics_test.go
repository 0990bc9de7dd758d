package metrics

import (
	"context"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"socketio-chat/pkg/socketio"
)

// TestEveryMetric causes what each metric counts, on a real server with real connections, and looks
// at what a scrape says before and after. In the end every metric of the table must have changed.
func TestEveryMetric(t *testing.T) {
	seen := map[string]bool{}
	for name, test := range map[string]func(*testing.T) *scene{
		"chat": chatting, "limits": limiting, "recovery": recovering, "parts": otherParts,
	} {
		t.Run(name, func(t *testing.T) { maps.Copy(seen, test(t).seen) })
	}
	// It is more than zero for moments only: engineio tests it.
	seen["chat_flush_waiting_connections"] = true
	// As the system allows, and for more clients than there are here.
	seen["chat_io_uring"], seen["chat_writes_batched_total"] = true, true
	for _, section := range table {
		for _, m := range section.Metrics {
			if !seen[m.Name] {
				t.Errorf("no test changes %s", m.Name)
			}
		}
	}
}

// chatting causes what clients cause.
func chatting(t *testing.T) *scene {
	s := newScene(t)

	s.causes("a WebSocket of protocol 4 joins", func() { s.alice = s.dial(4, "/chat") }, map[string]float64{
		`socket_io_connected`:                                       1,
		`socket_io_connect_total{namespace="/chat"}`:                1,
		`chat_sockets{namespace="/chat"}`:                           1,
		`chat_connections{protocol="4",transport="websocket"}`:      1,
		`chat_connections_opened_total`:                             1,
		`chat_received_messages_total`:                              1,
		`chat_received_bytes_total`:                                 float64(len("0/chat,")),
		`chat_sent_packets_total`:                                   2, // open, CONNECT
		`chat_connections_closed_total{reason="transport close"}`:   0,
		`chat_connections{protocol="3",transport="polling"}`:        0,
		`socket_io_events_sent_total{event="msg",namespace="/"}`:    0,
		`chat_deliveries_total{namespace="/"}`:                      0,
		`socket_io_disconnect_total{namespace="/chat"}`:             0,
		`chat_connections_closed_total{reason="slow client"}`:       0,
		`chat_slow_clients_total{reason="queue full"}`:              0,
		`chat_requests_refused_total{reason="unknown session"}`:     0,
		`socket_io_events_received_total{event="say",namespace=""}`: 0,
	})
	s.causes("a polling client of protocol 3 joins", func() { s.bob = s.poll(3, "/chat") }, map[string]float64{
		`socket_io_connected`:                                1,
		`chat_connections{protocol="3",transport="polling"}`: 1,
		`socket_io_connect_total{namespace="/"}`:             1, // unasked
		`socket_io_connect_total{namespace="/chat"}`:         1,
	})
	const said = `2/chat,["said",{"text":"hello"}]`
	s.causes("somebody speaks to both", func() {
		s.alice.send(`42/chat,["say",{"text":"hello"}]`)
		s.alice.until(said)
		s.bob.until(said)
	}, map[string]float64{
		`socket_io_events_received_total{event="say",namespace="/chat"}`: 1,
		`socket_io_recieve_bytes{event="say",namespace="/chat"}`:         float64(len(`2/chat,["say",{"text":"hello"}]`)), //nolint:misspell // Node has it so
		`socket_io_events_sent_total{event="said",namespace="/chat"}`:    2,
		`socket_io_transmit_bytes{event="said",namespace="/chat"}`:       2 * float64(len("4"+said)),
		`chat_broadcasts_total{namespace="/chat"}`:                       1,
		`chat_deliveries_total{namespace="/chat"}`:                       2,
		`chat_received_messages_total`:                                   1,
		`chat_sent_packets_total`:                                        2,
		`chat_writes_total`:                                              2,
		`chat_sent_bytes_total`:                                          float64(len("\x81\x20") + len("4"+said) + len("33:4") + len(said)),
	})
	s.causes("a client sends what nobody listens to", func() {
		s.alice.send(`42/chat,["\u0000 anything",1]`)
		s.alice.send(`42/chat,["fail"]`)
		s.alice.until("exception")
	}, map[string]float64{
		`socket_io_events_received_total{event="other",namespace="/chat"}`: 1,
		`socket_io_errors_total{namespace="/chat"}`:                        1,
	})
	s.causes("a heartbeat is answered", func() {
		s.alice.until("2") // and answers
	}, map[string]float64{
		`chat_heartbeat_round_trip_seconds_count`: 1,
	})
	s.causes("something waits for a client that does not poll", func() {
		s.chat.Broadcast("said", socketio.Payload{JSON: []byte(`"` + strings.Repeat("x", 1000) + `"`)})
		s.alice.until("xxx")
	}, map[string]float64{
		`chat_outbox_waiting_connections`: 1,
		`chat_outbox_bytes`:               1023,
		`chat_outbox_max_bytes`:           1023,
	})
	s.causes("more waits than may", func() {
		for range 70 {
			s.chat.Broadcast("said", socketio.Payload{JSON: []byte(`"` + strings.Repeat("x", 1000) + `"`)})
			s.alice.until("xxx")
		}
	}, map[string]float64{
		`chat_slow_clients_total{reason="queue full"}`:        1,
		`chat_connections_closed_total{reason="slow client"}`: 1,
		`socket_io_disconnect_total{namespace="/chat"}`:       1,
		`chat_sockets{namespace="/chat"}`:                     -1,
		`chat_outbox_bytes`:                                   -1023,
		`socket_io_connected`:                                 -1,
	})
	s.causes("a request comes for a session that is not here", func() {
		s.get("/socket.io/?EIO=4&transport=polling&sid=elsewhere")
	}, map[string]float64{`chat_requests_refused_total{reason="unknown session"}`: 1})
	s.causes("a session moves to a WebSocket", func() {
		carol := s.poll(4, "/chat")
		ws := s.dialURL("EIO=4&transport=websocket&sid=" + carol.sid)
		ws.send("2probe")
		ws.until("3probe")
		ws.send("5")
		s.eventually("it has moved", func() bool { return s.io.Engine().Stats().Upgraded() == 1 })
		ws.send("41/chat,")
		ws.send("49")
		ws.untilClosed()
	}, map[string]float64{
		`chat_upgrades_total`:                                  1,
		`chat_invalid_packets_total`:                           1,
		`chat_connections_closed_total{reason="forced close"}`: 1,
	})
	s.causes("the instance is told to stop", func() { s.draining = true }, map[string]float64{`chat_draining`: 1})
	s.seen["chat_build_info"] = s.scrape()[`chat_build_info{goversion="`+goVersion+`",version="v1.2.3"}`] == 1
	return s
}

// TestWriteTimeout: the other way to be slow.
func TestWriteTimeout(t *testing.T) {
	s := newScene(t)
	s.causes("a client reads nothing", func() {
		s.alice = s.dial(4, "/chat")
		big := socketio.Payload{JSON: []byte(`"` + strings.Repeat("x", 60_000) + `"`)}
		s.eventually("the client is gone", func() bool {
			if s.io.Engine().Census().QueuedBytes == 0 {
				s.chat.Broadcast("said", big)
			}
			return s.io.Engine().Len() == 0
		})
	}, map[string]float64{`chat_slow_clients_total{reason="write timeout"}`: 1})
}

func TestWithoutRedis(t *testing.T) {
	io := socketio.NewServer(socketio.Options{})
	defer io.Close(context.Background())
	text := scrape(t, New(Sources{Server: io}))
	if strings.Contains(text, "chat_redis") || strings.Contains(text, "chat_draining") {
		t.Error("metrics of parts that are not there")
	}
	for _, name := range []string{"go_goroutines", "go_sched_latencies_seconds_bucket", "process_cpu_seconds_total", "process_open_fds"} {
		if !strings.Contains(text, "\n"+name) {
			t.Errorf("%s is missing", name)
		}
	}
}

// TestDocumented keeps the table in deploy/ true: -update writes it.
func TestDocumented(t *testing.T) {
	const path = "../../deploy/METRICS.md"
	var want strings.Builder
	if err := Markdown(&want); err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- metrics: written by `go test ./pkg/metrics -update` -->\n", "<!-- end of metrics -->\n"
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok1 := strings.Cut(string(b), begin)
	got, tail, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		t.Fatalf("%s has lost its marks", path)
	}
	if got == want.String() {
		return
	}
	if !*update {
		t.Fatalf("%s does not say what the metrics are: go test ./pkg/metrics -update", path)
	}
	if err := os.WriteFile(path, []byte(head+begin+want.String()+end+tail), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestNames: conventions that dashboards rely on.
func TestNames(t *testing.T) {
	node := []string{"socket_io_recieve_bytes", "socket_io_transmit_bytes"} //nolint:misspell // theirs, as they are
	for _, section := range table {
		for _, m := range section.Metrics {
			if !regexp.MustCompile(`^(socket_io|chat)_[a-z_]+$`).MatchString(m.Name) || m.Help == "" || !strings.HasSuffix(m.Help, ".") {
				t.Errorf("%s: %q", m.Name, m.Help)
			}
			if total := strings.HasSuffix(m.Name, "_total"); (m.Kind == Counter) != total && !slices.Contains(node, m.Name) {
				t.Errorf("%s is a %s", m.Name, m.Kind)
			}
		}
	}
}

func BenchmarkScrape(b *testing.B) {
	io := socketio.NewServer(socketio.Options{})
	defer io.Close(context.Background())
	io.Of("/chat")
	m := New(Sources{Server: io})
	b.ReportAllocs()
	for b.Loop() {
		scrape(b, m)
	}
}

func scrape(t testing.TB, h http.Handler) string {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	text, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

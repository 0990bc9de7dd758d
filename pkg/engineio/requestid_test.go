package engineio

import (
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"socketio-chat/pkg/logs/logtest"
)

// The name that a proxy gave a request stands in the log, unless it is a trap.
func TestRequestIDs(t *testing.T) {
	log := new(logtest.Buffer)
	srv := serve(t, Options{Logger: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	ask := func(query, id string) {
		t.Helper()
		req, err := http.NewRequest(http.MethodGet, srv.url("http", query), nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Request-Id", id)
		res, err := newHTTPClient(t).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
	}
	ask("EIO=4&transport=polling", "good-1")
	ask("EIO=4&transport=polling&sid=none", "good/2")
	ask("EIO=4&transport=polling", `evil" level=ERROR`)
	ask("EIO=4&transport=polling", strings.Repeat("long", 30))
	text := log.String()
	for _, line := range []string{"opened", "reason=\"unknown session\""} {
		if !strings.Contains(text, line) {
			t.Errorf("no %s in\n%s", line, text)
		}
	}
	if strings.Count(text, "request=") != 2 || !strings.Contains(text, "request=good-1\n") || !strings.Contains(text, "request=good/2\n") {
		t.Errorf("the log says\n%s", text)
	}
}

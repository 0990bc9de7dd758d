package status

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"socketio-chat/pkg/admission"
	"socketio-chat/pkg/auth"
	"socketio-chat/pkg/forward"
	"socketio-chat/pkg/redisadapter"
	"socketio-chat/pkg/socketio"
)

// newBoard returns the board of a server without clients, and its routes.
func newBoard(t *testing.T, s Sources) (*Board, http.Handler) {
	t.Helper()
	s.Server = socketio.NewServer(socketio.Options{})
	t.Cleanup(func() { _ = s.Server.Close(context.Background()) })
	b := New(s)
	mux := http.NewServeMux()
	for pattern, h := range b.Routes() {
		mux.Handle(pattern, h)
	}
	return b, mux
}

func get(t *testing.T, h http.Handler, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	if w.Code != http.StatusOK {
		t.Fatalf("%s: %d %s", path, w.Code, w.Body)
	}
	return w
}

// TestPageStandsAlone: whatever the page needs is here, and nothing else is allowed.
func TestPageStandsAlone(t *testing.T) {
	_, h := newBoard(t, Sources{})
	page := get(t, h, "/status")
	for _, m := range regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllStringSubmatch(page.Body.String(), -1) {
		switch m[1] {
		case "data:,", "metrics", "readyz": // no icon; neighbours at the operators' address
		default:
			if get(t, h, "/"+m[1]).Body.Len() == 0 {
				t.Errorf("%s is empty", m[1])
			}
		}
	}
	for path, contentType := range map[string]string{
		"/status": "text/html", "/status.js": "text/javascript", "/status.css": "text/css", "/status.json": "application/json",
	} {
		w := get(t, h, path)
		if !strings.HasPrefix(w.Header().Get("Content-Type"), contentType) || w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %v", path, w.Header())
		}
		if p := w.Header().Get("Content-Security-Policy"); !strings.HasPrefix(p, "default-src 'none'") || strings.Contains(p, "unsafe") {
			t.Errorf("%s: %s", path, p)
		}
		if strings.Contains(w.Body.String(), "innerHTML") || regexp.MustCompile(`https?://[a-z]`).MatchString(strings.ReplaceAll(w.Body.String(), "http://www.w3.org/2000/svg", "")) {
			t.Errorf("%s could load something from elsewhere", path)
		}
	}
}

// TestReportWithoutRedis: a script finds what there is, and null for what is not.
func TestReportWithoutRedis(t *testing.T) {
	_, h := newBoard(t, Sources{Instance: "one", Version: "v1", QueueBytes: 77})
	var r map[string]any
	if err := json.Unmarshal(get(t, h, "/status.json").Body.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	if r["instance"] != "one" || r["version"] != "v1" || r["state"] != "ok" || r["redis"] != nil {
		t.Errorf("%v", r)
	}
	if bound := r["slow"].(map[string]any)["bound"]; bound != 77.0 {
		t.Errorf("bound %v", bound)
	}
	if problems, ok := r["problems"].([]any); !ok || len(problems) != 0 {
		t.Errorf("problems %v", r["problems"])
	}
}

// TestHistory: a sample every two seconds, for five minutes.
func TestHistory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := redisadapter.Status{Joined: true, Servers: 2, Since: time.Now()}
		b, _ := newBoard(t, Sources{Cluster: func() redisadapter.Status {
			now.Published += 10
			return now
		}})
		ctx, stop := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() { b.Run(ctx); close(done) }()
		time.Sleep(10*Interval + time.Second)
		synctest.Wait()
		r := b.Report()
		if len(r.History.Clients) != 10 || len(r.History.LagMS) != 10 || r.History.LagMS[9] == nil {
			t.Errorf("after 21 s: %+v", r.History)
		}
		if r.Redis.PublishedPS != 5 || r.Redis.SinceS != 21 {
			t.Errorf("%+v", r.Redis)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := len(b.Report().History.Clients); n != kept-1 {
			t.Errorf("after an hour %d samples", n)
		}
		stop()
		<-done
	})
}

// TestProblems: what is wrong is said, with what to do, for as long as it matters.
func TestProblems(t *testing.T) {
	fine := redisadapter.Status{Joined: true, Servers: 2, Lag: time.Millisecond}
	for what, tt := range map[string]struct {
		status redisadapter.Status
		want   string
	}{
		"nothing":       {fine, ""},
		"not joined":    {redisadapter.Status{LastError: errors.New("refused")}, "Not joined to the other instances for"},
		"lost":          {redisadapter.Status{Joined: true, Dropped: 2, Unknown: 1}, "3 messages did not reach"},
		"gap":           {redisadapter.Status{Joined: true, Gaps: 1}, "subscriptions at Redis were lost"},
		"malformed":     {redisadapter.Status{Joined: true, Rejected: 4}, "4 messages from Redis were malformed"},
		"slow to cross": {redisadapter.Status{Joined: true, Lag: time.Second}, "1000 ms through Redis"},
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				now := fine
				b, _ := newBoard(t, Sources{Cluster: func() redisadapter.Status { return now }})
				now = tt.status
				time.Sleep(time.Second)
				r := b.Report()
				switch {
				case tt.want == "" && (r.State != "ok" || len(r.Problems) > 0):
					t.Errorf("%s: %+v", r.State, r.Problems)
				case tt.want != "" && (r.State != "attention" || len(r.Problems) != 1 ||
					!strings.Contains(r.Problems[0].Text, tt.want) || r.Problems[0].Advice == ""):
					t.Errorf("%s: %+v, want %q", r.State, r.Problems, tt.want)
				}
				now.Joined, now.Lag = true, 0 // it is over: forgotten a minute later
				b.take(time.Now())
				time.Sleep(lookBack + time.Second)
				b.take(time.Now())
				if r := b.Report(); r.State != "ok" {
					t.Errorf("a minute later: %+v", r.Problems)
				}
			})
		})
	}
}

func TestDraining(t *testing.T) {
	b, _ := newBoard(t, Sources{Draining: func() bool { return true }})
	if s := b.Report().State; s != "draining" {
		t.Error(s)
	}
}

// TestWordsAreExplained: a label of the page, or of the cards that not every server has, is explained
// below it, save those that everybody knows.
func TestWordsAreExplained(t *testing.T) {
	b, h := newBoard(t, Sources{})
	page := get(t, h, "/status").Body.String()
	main, words, ok := strings.Cut(page, `<details id="words">`)
	if !ok {
		t.Fatal("the page explains no words")
	}
	plain := []string{"WebSocket", "polling", "Go", "failed", "kB kept"}
	var labels []string
	for _, m := range regexp.MustCompile(`<dt>([^<]*)</dt>`).FindAllStringSubmatch(main, -1) {
		labels = append(labels, m[1])
	}
	for _, items := range [][]Item{forwarding(forward.Stats{}), recovery(socketio.RecoveryStats{}), limits(admission.Stats{}, b.Server), tokens(auth.Stats{})} {
		for _, item := range items {
			labels = append(labels, item.Name)
		}
	}
	if len(labels) < 30 {
		t.Fatalf("found %d labels", len(labels))
	}
	for _, label := range labels {
		id := `id="word-` + strings.ReplaceAll(strings.ToLower(label), " ", "-") + `"`
		if !slices.Contains(plain, label) && !strings.Contains(words, id) {
			t.Errorf("%q is not explained", label)
		}
	}
}

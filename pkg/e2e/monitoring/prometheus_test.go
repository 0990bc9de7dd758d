//go:build linux

package monitoring

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"socketio-chat/pkg/load/client"
	"socketio-chat/pkg/load/run"
	"socketio-chat/pkg/testenv"
)

const (
	dashboardFile = "../../../deploy/grafana/dashboards/chat.json"
	alertsFile    = "../../../deploy/prometheus/alerts.yml"
)

// TestEveryQueryIsAnswered: two instances on one Redis chat, and whatever the dashboard or an alert
// asks of Prometheus about them has an answer. All is well, so no alert may fire.
func TestEveryQueryIsAnswered(t *testing.T) {
	testenv.Programs(t, "prometheus", "redis-server")
	server := testenv.Server(t)
	redis := startRedis(t)
	var servers, metrics []string
	settings := []string{
		"REDIS_HOST=127.0.0.1", "REDIS_PORT=" + redis, "PING_INTERVAL_MS=500", "CHAT_JOIN_NOTICE=false", "RECOVERY_SECONDS=60",
	}
	for range 2 {
		in := startServer(t, server, settings...)
		servers, metrics = append(servers, "http://"+in.Addr), append(metrics, in.Metrics)
	}
	// One that nobody can join without a token, for what is asked about tokens.
	guarded := startServer(t, server, append(settings, "AUTH_JWT_SECRET="+strings.Repeat("not a secret ", 4))...)
	metrics = append(metrics, guarded.Metrics)
	p := startPrometheus(t, metrics)

	loads, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan struct{}, 2)
	for _, transport := range []client.Transport{client.WebSocket, client.Upgrade} {
		go func() {
			defer func() { ended <- struct{}{} }()
			_, err := run.Run(loads, run.Config{
				Servers: servers, Clients: 20, Senders: 4, Rate: 20, Size: 40, Transport: transport, Protocol: 4,
				Connecting: 20, Duration: time.Minute,
			}, nil)
			if err != nil && loads.Err() == nil {
				t.Errorf("load over %s: %v", transport, err)
			}
		}()
	}

	queries := append(dashboardQueries(t), alertQueries(t)...)
	if len(queries) < 60 {
		t.Fatalf("only %d queries were found", len(queries))
	}
	// Rates need two scrapes; quantiles need something that was measured meanwhile.
	var wrong []string
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(250 * time.Millisecond) {
		wrong = wrong[:0]
		for _, q := range queries {
			if why := p.unanswered(t, q); why != "" {
				wrong = append(wrong, fmt.Sprintf("%s\n\t%s", q, why))
			}
		}
		if len(wrong) == 0 || time.Now().After(end) {
			break
		}
	}
	for _, w := range wrong {
		t.Error(w)
	}
	p.wantRulesHealthy(t)
	stop()
	<-ended
	<-ended
}

// dashboardQueries returns what the panels and variables of the dashboard ask, with the variables
// filled in.
func dashboardQueries(t *testing.T) (list []string) {
	var dashboard struct {
		Panels []struct {
			Title   string
			Type    string
			Targets []struct{ Expr string }
		}
		Templating struct {
			List []struct{ Name, Definition string }
		}
	}
	read(t, dashboardFile, &dashboard)
	fill := strings.NewReplacer("$__rate_interval", "5s", "$instance", ".*")
	for _, panel := range dashboard.Panels {
		if panel.Type != "row" && len(panel.Targets) == 0 {
			t.Errorf("the panel %q asks nothing", panel.Title)
		}
		for _, target := range panel.Targets {
			q := fill.Replace(target.Expr)
			if strings.Contains(q, "$") {
				t.Errorf("%q has a variable that is not filled in: %s", panel.Title, q)
			}
			list = append(list, q)
		}
	}
	for _, v := range dashboard.Templating.List {
		if m := regexp.MustCompile(`^label_values\((\w+), \w+\)$`).FindStringSubmatch(v.Definition); m != nil {
			list = append(list, m[1])
		}
	}
	return list
}

// alertQueries returns, for each alert, a question about every series its expression reads: the
// expressions themselves have no answer while all is well.
func alertQueries(t *testing.T) (list []string) {
	text, err := os.ReadFile(alertsFile)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		expr, ok := strings.CutPrefix(strings.TrimSpace(line), "expr: ")
		if !ok {
			continue
		}
		for _, series := range regexp.MustCompile(`\b(?:up|chat_\w+|socket_io_\w+|process_\w+|go_\w+)(?:\{[^}]*\})?`).FindAllString(expr, -1) {
			if q := "count(" + series + ")"; !slices.Contains(list, q) {
				list = append(list, q)
			}
		}
	}
	return list
}

func read(t *testing.T, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(filepath.FromSlash(path))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// unanswered asks one query and tells what is wrong with the answer.
func (p *prometheus) unanswered(t *testing.T, query string) string {
	t.Helper()
	var answer struct {
		Status, Error string
		Data          struct {
			Result []struct {
				Value [2]any // time, text
			}
		}
	}
	if err := p.get("/api/v1/query?query="+url.QueryEscape(query), &answer); err != nil {
		return err.Error()
	}
	switch {
	case answer.Status != "success":
		return answer.Error
	case len(answer.Data.Result) == 0:
		return "no data"
	}
	for _, r := range answer.Data.Result {
		if r.Value[1] == "NaN" {
			return "not a number"
		}
	}
	return ""
}

// wantRulesHealthy expects that Prometheus has evaluated every alert and none has anything to say.
func (p *prometheus) wantRulesHealthy(t *testing.T) {
	t.Helper()
	var answer struct {
		Data struct {
			Groups []struct {
				Rules []struct{ Name, Health, State, LastError string }
			}
		}
	}
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		if err := p.get("/api/v1/rules", &answer); err != nil {
			t.Fatal(err)
		}
		waiting := len(answer.Data.Groups) == 0
		for _, g := range answer.Data.Groups {
			for _, r := range g.Rules {
				waiting = waiting || r.Health == "unknown"
			}
		}
		if !waiting || time.Now().After(end) {
			break
		}
	}
	rules := 0
	for _, g := range answer.Data.Groups {
		for _, r := range g.Rules {
			rules++
			if r.Health != "ok" || r.State != "inactive" {
				t.Errorf("%s is %s, %s (%s) while all is well", r.Name, r.Health, r.State, r.LastError)
			}
		}
	}
	if rules < 10 {
		t.Errorf("Prometheus knows %d rules", rules)
	}
}

func (p *prometheus) get(path string, into any) error {
	answer, err := http.Get(p.url + path)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}

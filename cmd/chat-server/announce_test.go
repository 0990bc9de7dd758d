package main

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// announceTo runs "chat-server announce" and returns what it says.
func announceTo(t *testing.T, settings []string, args ...string) (string, error) {
	t.Helper()
	return announceFrom(t, "", settings, args...)
}

// announceFrom is announceTo with something on standard input.
func announceFrom(t *testing.T, stdin string, settings []string, args ...string) (string, error) {
	t.Helper()
	var out strings.Builder
	err := run(t.Context(), append([]string{"announce"}, args...), settings, strings.NewReader(stdin), &out, io.Discard)
	return out.String(), err
}

func TestAnnounce(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, mode := range []string{"pubsub", "sharded", "streams"} {
		t.Run(mode, func(t *testing.T) {
			settings := append(startRedis(t), "CHAT_JOIN_NOTICE=false", "REDIS_ADAPTER="+mode)
			_, err := announceTo(t, settings, "--text", "is anybody there?")
			if err == nil || exitCode(err) != 1 || !strings.Contains(err.Error(), "nobody heard it") {
				t.Errorf("nobody there: %v", err)
			}
			one, two := startInstance(t, settings...), startInstance(t, settings...)
			people := []*poller{startPolling(t, one), startPolling(t, two)}
			for _, in := range []*instance{one, two} {
				eventually(t, "instance is ready", func() bool { return in.ready(t) })
			}
			for _, p := range people {
				p.post("40/chat,")
				p.pollUntil("40/chat,{")
			}
			for _, tt := range []struct {
				args []string
				want string
			}{
				{[]string{"--text", "Backup at \"four\" </b>, 서울"}, `{"name":"admin","text":"Backup at \"four\" </b>, 서울"}`},
				{[]string{"--name=cron", "--text=-- done"}, `{"name":"cron","text":"-- done"}`},
				{[]string{"--text=-"}, `{"name":"admin","text":"two\nlines"}`},
			} {
				out, err := announceFrom(t, "two\nlines\n", settings, tt.args...)
				if err != nil || out != "announced to 2 instances\n" {
					t.Errorf("%q, %v", out, err)
				}
				for _, p := range people {
					p.pollUntil(`42/chat,["msgToClient",` + tt.want + "]")
				}
			}
		})
	}
}

func TestAnnounceFails(t *testing.T) {
	t.Chdir(t.TempDir())
	silent, err := net.Listen("tcp", "127.0.0.1:0") // accepts, by its backlog, and never answers
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for _, tt := range []struct {
		settings, args []string
		code           int
		want           string
	}{
		{nil, nil, 2, "--text is missing"},
		{nil, []string{"--text", ""}, 2, "--text is missing"},
		{nil, []string{"--text", "a", "b"}, 2, "needs quotes"},
		{nil, []string{"all went well"}, 2, `announce --text "all went well"`},
		{addressOf(silent), []string{"--text", "-"}, 1, "no text on standard input"},
		{nil, []string{"--loud", "--text", "a"}, 2, "-loud; try chat-server --help"},
		{nil, []string{"--text", "a"}, 1, "there is no Redis"},
		{[]string{"REDIS_URL=redis://:hunter2@127.0.0.1:1"}, []string{"--text", "a"}, 1, "127.0.0.1:1"},
		{addressOf(silent), []string{"--text", "a"}, 1, "timeout"},
	} {
		began := time.Now()
		_, err := announceTo(t, tt.settings, tt.args...)
		if err == nil || exitCode(err) != tt.code || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q %q: code %d, %v", tt.settings, tt.args, exitCode(err), err)
		}
		if time.Since(began) > announceTimeout+10*time.Second {
			t.Errorf("%q took %s", tt.settings, time.Since(began))
		}
	}
	if out, err := announceTo(t, nil, "--help"); err != nil || !strings.Contains(out, "chat-server announce --text") {
		t.Errorf("help: %v, %s", errors.Unwrap(err), out)
	}
}

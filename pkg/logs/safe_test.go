package logs

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

const jwt = "eyJhbGciOiJIUzI1NiJ9.eyJuYW1lIjoiYW5uIn0.c2lnbmF0dXJl"

// logged is the line that one record becomes, as JSON.
func logged(t *testing.T, msg string, attrs ...any) map[string]any {
	t.Helper()
	var b bytes.Buffer
	slog.New(Safe(slog.NewJSONHandler(&b, nil))).Info(msg, attrs...)
	line := map[string]any{}
	if err := json.Unmarshal(b.Bytes(), &line); err != nil {
		t.Fatalf("%v in %s", err, b.String())
	}
	return line
}

// TestSafeHidesSecrets: tokens and passwords, wherever a client puts them.
func TestSafeHidesSecrets(t *testing.T) {
	for _, text := range []string{
		jwt, "connected as " + jwt + "!", "/chat?token=hunter2hunter2&x=1", `40/chat,{"token":"hunter2hunter2"}`,
		`"40/chat,{\"token\": \"hunter2hunter2\"}"`, "Authorization: Bearer hunter2hunter2", "map[access_token:hunter2hunter2]",
		"x-api-key=hunter2hunter2", "?PASSWORD=hunter2hunter2", jwt[:30], "Basic aHVudGVyMmh1bnRlcjI=",
	} {
		line := logged(t, text, "value", text, "err", errors.New(text), slog.Group("g", "v", text))
		all, _ := json.Marshal(line)
		for _, secret := range []string{"hunter2", "eyJhbGci", "aHVudGVy", "c2lnbmF0"} {
			if strings.Contains(string(all), secret) {
				t.Errorf("%s is logged: %s", text, all)
			}
		}
		if n := strings.Count(string(all), hiddenText); n != 4 {
			t.Errorf("%s: hidden %d times in %s", text, n, all)
		}
	}
	for _, text := range []string{"token: expired", "the secret that tokens are signed with is short", "basic truths", "key=value", "sid=eyJ"} {
		if got := logged(t, text)["msg"]; got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
}

// TestSafeBoundsLines: whatever a client sends, a line is short, and says how long the text was.
func TestSafeBoundsLines(t *testing.T) {
	long := strings.Repeat("채", 1<<19)
	attrs := []any{}
	for range 20 {
		attrs = append(attrs, "v", long)
	}
	var b bytes.Buffer
	slog.New(Safe(slog.NewJSONHandler(&b, nil))).With("before", long).WithGroup("g").Info(long, attrs...)
	if n := b.Len(); n > 2*maxLine {
		t.Errorf("a line of %d bytes", n)
	}
	if !utf8.Valid(b.Bytes()) || !strings.Contains(b.String(), "(1572864 bytes)") {
		t.Errorf("got %.200s", b.String())
	}
	// A secret at the very edge of what is kept is not half there.
	for shift := range 80 {
		text := strings.Repeat("x", maxValue-shift) + " " + jwt + " " + strings.Repeat("y", 1000)
		if got := logged(t, "m", "v", text)["v"].(string); strings.Contains(got, "eyJ") {
			t.Fatalf("%d before the edge: %s", shift, got[len(got)-100:])
		}
	}
}

// TestDurationsHaveUnits: a number of nanoseconds tells a reader nothing.
func TestDurationsHaveUnits(t *testing.T) {
	for d, want := range map[time.Duration]string{
		5000907375: "5.001s", 1755852: "1.756ms", 7401: "7.401µs", 0: "0s", -2 * time.Minute: "-2m0s",
	} {
		if got := logged(t, "m", "took", d, slog.Group("g", "d", d)); got["took"] != want || got["g"].(map[string]any)["d"] != want {
			t.Errorf("%d ns: %v, want %s", d, got, want)
		}
	}
}

// FuzzSafe: no input ends the process, and none becomes a long or broken line.
func FuzzSafe(f *testing.F) {
	f.Add("token=" + jwt)
	f.Add(strings.Repeat("\xff", 5000))
	f.Fuzz(func(t *testing.T, text string) {
		got := cleanText(text, maxValue)
		if len(got) > maxValue+len(hiddenText)*256 {
			t.Errorf("%d bytes became %d", len(text), len(got))
		}
		if utf8.ValidString(text) && !utf8.ValidString(got) {
			t.Errorf("%q became %q", text, got)
		}
	})
}

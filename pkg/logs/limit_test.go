package logs

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A buffer may be written by timers.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

// lines takes what was logged.
func lines(b *buffer) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	text := strings.TrimSpace(b.b.String())
	b.b.Reset()
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

func logTo(b *buffer, o Options) *slog.Logger {
	return slog.New(Limit(slog.NewTextHandler(b, &slog.HandlerOptions{
		Level: slog.LevelDebug,
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	}), o))
}

// remembered counts the messages that are told apart.
func remembered(log *slog.Logger) int {
	m := log.Handler().(*handler).memory
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.seen)
}

func want(t *testing.T, got []string, want ...string) {
	t.Helper()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b buffer
		log := logTo(&b, Options{Burst: 2})
		client := log.With("sid", 1).WithGroup("g")
		for i := range 100 {
			client.Warn("slow", "i", i)
			log.Error("slow")
			log.Debug("detail")
		}
		got := lines(&b)
		if len(got) != 2+2+100 {
			t.Errorf("%d lines", len(got))
		}
		want(t, got[:4], "level=WARN msg=slow sid=1 g.i=0", "level=ERROR msg=slow", "level=DEBUG msg=detail", "level=WARN msg=slow sid=1 g.i=1")

		log.Warn("something else")
		want(t, lines(&b), `level=WARN msg="something else"`)

		time.Sleep(10 * time.Second)
		synctest.Wait()
		got = lines(&b)
		if len(got) != 2 {
			t.Fatalf("%q", got)
		}
		for _, line := range got {
			if !strings.HasSuffix(line, `msg="`+LeftOut+`" of=slow count=98 seconds=10`) {
				t.Error(line)
			}
		}
		log.Warn("slow") // a new period
		want(t, lines(&b), "level=WARN msg=slow")
		time.Sleep(10 * time.Second)
		synctest.Wait()
		want(t, lines(&b)) // nothing was left out
	})
}

// TestBounded: messages that are all different take no more memory than agreed, and do not flood.
func TestBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b buffer
		log := logTo(&b, Options{Burst: 1, MaxMessages: 3})
		for i := range 1000 {
			log.Info(fmt.Sprint("message ", i))
		}
		if n := remembered(log); n != 4 {
			t.Errorf("%d messages are remembered", n)
		}
		want(t, lines(&b), `level=INFO msg="message 0"`, `level=INFO msg="message 1"`, `level=INFO msg="message 2"`, `level=INFO msg="message 3"`)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		want(t, lines(&b), `level=INFO msg="`+LeftOut+`" of="other messages" count=996 seconds=10`)
		if n := remembered(log); n != 0 {
			t.Errorf("%d messages are still remembered", n)
		}
	})
}

func TestConcurrentUse(t *testing.T) {
	var b buffer
	log := logTo(&b, Options{Burst: 3, Period: time.Hour})
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 100 {
				log.Warn("again")
			}
		})
	}
	all.Wait()
	if got := lines(&b); len(got) != 3 {
		t.Errorf("%q", got)
	}
}

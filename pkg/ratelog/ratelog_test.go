package ratelog_test

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"socketio-chat/pkg/ratelog"
)

func TestOneLineInTenSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		log := ratelog.Log{Logger: slog.New(slog.NewTextHandler(&out, nil))}
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() { log.Warn("a", "refused") })
		}
		all.Wait()
		log.Warn("b", "another matter", slog.Int("n", 1))
		if got := strings.Count(out.String(), "\n"); got != 2 {
			t.Errorf("%d lines:\n%s", got, &out)
		}
		time.Sleep(ratelog.Every)
		out.Reset()
		log.Warn("a", "refused")
		log.Warn("b", "another matter", slog.Int("n", 2))
		if got := out.String(); !strings.Contains(got, "msg=refused times_left_out=99\n") || !strings.Contains(got, "msg=\"another matter\" n=2\n") {
			t.Errorf("got\n%s", got)
		}
	})
}

func TestWithoutLogger(*testing.T) {
	var log ratelog.Log
	log.Warn("a", "nobody reads this")
}

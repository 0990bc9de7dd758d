package testenv

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// A verdict is a testing.TB that keeps how a test ended.
type verdict struct {
	testing.TB
	how string
}

func (v *verdict) Helper() {}

func (v *verdict) Fatalf(format string, args ...any) {
	v.how = "failed: " + fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func (v *verdict) Skipf(format string, args ...any) {
	v.how = "skipped: " + fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// endOf tells how a test with this body ends.
func endOf(t *testing.T, body func(testing.TB)) string {
	v := &verdict{TB: t, how: "went on"}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		body(v)
	}()
	<-ended
	return v.how
}

func TestWhatIsMissingSkipsAndFailsInCI(t *testing.T) {
	node := t.TempDir()
	program := func(t testing.TB) { Programs(t, "sh", "no-such-program") }
	npm := func(t testing.TB) { NPM(t, node) }
	const noProgram, noNPM = "no-such-program is missing: run .ci/test-deps.sh", "the npm packages are not installed: run `npm ci` in pkg/e2e/node"
	for ci, how := range map[string]string{"": "skipped: ", "true": "failed: "} {
		t.Setenv("CI", ci)
		if got := endOf(t, program); got != how+noProgram {
			t.Errorf("with CI=%q the test %s", ci, got)
		}
		if got := endOf(t, npm); got != how+noNPM {
			t.Errorf("with CI=%q the test %s", ci, got)
		}
	}
}

func TestWhatIsThereLetsTestsGoOn(t *testing.T) {
	node := t.TempDir()
	if err := os.Mkdir(filepath.Join(node, "node_modules"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(node, "node_modules/.package-lock.json"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("CI", "true")
	t.Setenv("CHAT_SERVER", "/the/server")
	if got := endOf(t, func(t testing.TB) {
		Programs(t, "sh")
		NPM(t, node)
		if path := Server(t); path != "/the/server" {
			t.Fatalf("the server is %s", path)
		}
	}); got != "went on" {
		t.Errorf("the test %s", got)
	}
}

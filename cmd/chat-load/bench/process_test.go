//go:build linux

package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path"
	"strings"
	"testing"
)

// helper is how to start this test binary as a server: see TestMain.
func helper(int) []string { return []string{os.Args[0]} }

func TestStartAndStop(t *testing.T) {
	t.Setenv("REDIS_HOST", "elsewhere") // must not reach the server
	p, err := startProcess(context.Background(), t.TempDir(), []string{serverEnv + "=1"}, helper)
	if err != nil {
		t.Fatal(err)
	}
	nc, err := net.Dial("tcp", p.address())
	if err != nil {
		t.Error(err)
	} else {
		nc.Close()
	}
	if environ, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", p.pid())); err != nil || strings.Contains(string(environ), "REDIS_HOST") {
		t.Errorf("the server knows of a Redis, or: %v", err)
	}
	p.stop()
	select {
	case <-p.exited:
	default:
		t.Error("still there after its end")
	}
	p.stop() // again does nothing
}

func TestServersThatDoNotStart(t *testing.T) {
	ctx := context.Background()
	for name, argv := range map[string][]string{
		"missing":     {"/no/such/server"},
		"ends":        {"sh", "-c", "echo what a pity >&2; exit 1"},
		"says little": {"true"},
	} {
		if p, err := startProcess(ctx, t.TempDir(), nil, func(int) []string { return argv }); err == nil {
			p.stop()
			t.Errorf("%s: no error", name)
		} else if name == "ends" && !strings.Contains(err.Error(), "what a pity") {
			t.Errorf("%s: %v", name, err)
		}
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if p, err := startProcess(ended, t.TempDir(), nil, func(int) []string { return []string{"sleep", "60"} }); err == nil {
		p.stop()
		t.Error("waited for a server although nobody wants it")
	}
}

func TestTailKeepsTheEnd(t *testing.T) {
	var out tail
	for i := range 2000 {
		fmt.Fprintf(&out, "line %d\n", i)
	}
	if got := out.String(); len(got) > keptOutput || !strings.HasSuffix(got, "line 1999") {
		t.Errorf("%d bytes, %.20q at the end", len(got), got[len(got)-20:])
	}
}

func TestUnknownRow(t *testing.T) {
	_, err := Run(context.Background(), Options{Rows: []string{"light", "heavy"}, Out: io.Discard})
	if err == nil || !strings.Contains(err.Error(), `"heavy"`) || !strings.Contains(err.Error(), "saturation") {
		t.Errorf("%v", err)
	}
}

func TestFailingServerFailsItsRow(t *testing.T) {
	var b strings.Builder
	r, err := Run(context.Background(), Options{Rows: []string{"light"}, Quick: true, Binary: "/no/such/server", Out: &b})
	if err != nil || len(r.Rows) != 1 || r.Rows[0].Error == "" || r.Passed() || !strings.Contains(b.String(), "FAILED") {
		t.Errorf("%+v, %v\n%s", r, err, b.String())
	}
}

// The references are what users have: exact versions, installed from the registry that each user has set up.
func TestNodeDependenciesArePinned(t *testing.T) {
	read := func(name string, v any) []byte {
		b, err := nodeFiles.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(b, v); err != nil {
			t.Fatal(err)
		}
		return b
	}
	all := map[string]string{}
	for _, folder := range []string{"", "uws", "bun", "newest"} {
		var pkg struct{ Dependencies map[string]string }
		read(path.Join("node", folder, "package.json"), &pkg)
		for name, version := range pkg.Dependencies {
			if strings.ContainsAny(version, "^~*<> ") {
				t.Errorf("%s is not pinned: %s", name, version)
			}
			if name == "socket.io" && version != "4.8.4" {
				t.Errorf("%q compares with socket.io %s", folder, version)
			}
			all[name] = version
		}
		var lock struct {
			Packages map[string]struct{ Version string }
		}
		if b := read(path.Join("node", folder, "package-lock.json"), &lock); strings.Contains(string(b), `"resolved"`) {
			t.Error("the lock names a registry")
		}
		for name, want := range map[string]string{"node_modules/engine.io": "6.6.13", "node_modules/ws": "8.23.0"} {
			if got := lock.Packages[name].Version; got != "" && got != want {
				t.Errorf("%q: %s is %s, want %s", folder, name, got, want)
			}
		}
	}
	if all["socket.io2"] != "npm:socket.io@2.4.1" || all["bun"] == "" || all["@trufflesuite/uws-js-unofficial"] == "" {
		t.Errorf("%v", all)
	}
}

func TestPeerThatCannotBeHadIsSkipped(t *testing.T) {
	t.Setenv("PATH", t.TempDir()) // no npm
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	var said strings.Builder
	b := &bench{opts: Options{Out: &said}, timing: quickTiming}
	b.servers = &servers{temp: t.TempDir(), log: b.printf}
	variants := []Variant{{Name: uws}}
	if err := b.repeat(context.Background(), row{variants: variantsOf(quickTiming.base(), uws)}, variants, 2); err != nil {
		t.Fatal(err)
	}
	if v := variants[0]; !strings.Contains(v.Skipped, "npm") || len(v.Trials) > 0 || strings.Count(said.String(), "SKIPPED") != 1 {
		t.Errorf("%+v\n%s", v, said.String())
	}
	// Another row does not wait for npm again.
	if err := b.repeat(context.Background(), row{variants: variantsOf(quickTiming.base(), uws)}, []Variant{{Name: uws}}, 1); err != nil {
		t.Fatal(err)
	}
	if s := said.String(); strings.Count(s, "SKIPPED") != 2 || strings.Count(s, "installing") != 1 {
		t.Errorf("two rows said:\n%s", s)
	}
	if err := b.repeat(context.Background(), row{variants: variantsOf(quickTiming.base(), node4)}, []Variant{{Name: node4}}, 1); err == nil {
		t.Error("the bench does without the server that users have")
	}
}

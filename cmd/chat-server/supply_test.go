package main

import (
	"encoding/json"
	"io"
	"os"
	"regexp"
	"runtime/debug"
	"strings"
	"testing"
)

// TestReplacedModules looks into the list of modules that the linker wrote: what image scanners read. The code of the
// modules in pkg/replaced is never run, and must not come back with an update of the libraries.
func TestReplacedModules(t *testing.T) {
	info, ok := debug.ReadBuildInfo()
	if !ok || len(info.Deps) == 0 {
		t.Fatal("this binary does not list its modules")
	}
	replaced := map[string]bool{
		"github.com/andybalholm/brotli": false, "github.com/klauspost/compress": false,
		"github.com/quic-go/quic-go": false, "github.com/zishang520/webtransport-go": false,
	}
	for _, module := range info.Deps {
		switch _, ours := replaced[module.Path]; {
		case ours && (module.Replace == nil || !strings.HasPrefix(module.Replace.Path, "./pkg/replaced/")):
			t.Errorf("%s %s is linked; go.mod should replace it", module.Path, module.Version)
		case ours:
			replaced[module.Path] = true
		case module.Path == "golang.org/x/net", module.Path == "github.com/quic-go/qpack":
			t.Errorf("%s is linked again: what needs it?", module.Path)
		}
	}
	for path, seen := range replaced {
		if !seen {
			t.Errorf("%s is not linked at all: remove its folder in pkg/replaced", path)
		}
	}
}

// TestSBOM: it lists the Go release and every module of the binary once, and none that pkg/replaced stands in for.
func TestSBOM(t *testing.T) {
	var out strings.Builder
	if err := run(t.Context(), []string{"sbom"}, nil, nil, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	var got bom
	if err := json.Unmarshal([]byte(out.String()), &got); err != nil {
		t.Fatal(err)
	}
	if got.Format != "CycloneDX" || got.Spec != "1.5" || got.Metadata.Component.Name != "chat-server" {
		t.Errorf("%+v", got.Metadata)
	}
	purls, refs := map[string]bool{}, map[string]bool{}
	for _, c := range got.Components {
		if refs[c.Ref] || c.Name == "" || c.Version == "" || c.Type != "library" {
			t.Errorf("%+v", c)
		}
		refs[c.Ref], purls[c.PURL] = true, true
	}
	info, _ := debug.ReadBuildInfo()
	if len(got.Components) != len(info.Deps)+1 {
		t.Errorf("%d components of %d modules", len(got.Components), len(info.Deps))
	}
	if !purls["pkg:golang/stdlib@"+strings.TrimPrefix(info.GoVersion, "go")] || !refs[info.Main.Path+"/pkg/replaced/quic-go"] {
		t.Errorf("got %v", refs)
	}
	for _, m := range info.Deps {
		if purl := "pkg:golang/" + m.Path + "@" + m.Version; purls[purl] == (m.Replace != nil) {
			t.Errorf("%s: %v", purl, purls[purl])
		}
	}
}

// TestToolchain: the image is built with the patch of Go that go.mod names, and no later one forgets the other.
func TestToolchain(t *testing.T) {
	find := func(file, pattern string) string {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		match := regexp.MustCompile(pattern).FindSubmatch(text)
		if match == nil {
			t.Fatalf("%s: nothing matches %s", file, pattern)
		}
		return string(match[1])
	}
	module := find("../../go.mod", `(?m)^toolchain go(\S+)$`)
	if image := find("../../deploy/Dockerfile", `(?m)^FROM golang:([0-9.]+)-alpine`); image != module {
		t.Errorf("deploy/Dockerfile builds with Go %s, go.mod asks for %s", image, module)
	}
}

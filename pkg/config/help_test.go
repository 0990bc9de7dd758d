package config

import (
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the table of variables into deploy/docs/settings.md")

const (
	page  = "../../deploy/docs/settings.md"
	begin = "<!-- variables: written by `go test ./pkg/config -update` -->\n"
	end   = "<!-- end of variables -->"
)

func TestPageHasTheTable(t *testing.T) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), begin)
	table, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s lacks the lines %q and %q", page, begin, end)
	}
	if table == Markdown() {
		return
	}
	if !*update {
		t.Fatalf("%s differs from the table of variables; run go test ./pkg/config -update", page)
	}
	if err := os.WriteFile(page, []byte(before+begin+Markdown()+end+after), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestUsageNamesEverything(t *testing.T) {
	var b strings.Builder
	if err := Usage(&b); err != nil {
		t.Fatal(err)
	}
	for _, v := range variables() {
		for _, part := range []string{"  " + v.name + " ", v.def, v.meaning, v.kind.accepts} {
			if !strings.Contains(b.String(), part) {
				t.Errorf("%s: usage lacks %q", v.name, part)
			}
		}
	}
	for line := range strings.Lines(b.String()) {
		if n := len([]rune(line)); n > 160 {
			t.Errorf("line of %d characters: %s", n, line)
		}
	}
}

func TestTableIsSound(t *testing.T) {
	seen := map[string]bool{}
	for _, v := range variables() {
		if seen[v.name] {
			t.Errorf("%s is there twice", v.name)
		}
		seen[v.name] = true
		if !strings.HasSuffix(v.meaning, ".") || v.kind.accepts == "" || v.kind.set == nil {
			t.Errorf("%s: row is incomplete", v.name)
		}
		if err := v.kind.set(&Config{}, v.def); err != nil {
			t.Errorf("%s: default %q is refused: %v", v.name, v.def, err)
		}
	}
}

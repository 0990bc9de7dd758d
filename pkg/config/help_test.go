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

// unwrapped is a text without its line breaks.
func unwrapped(text string) string { return strings.Join(strings.Fields(text), " ") }

func wantNarrow(t *testing.T, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > helpWidth {
			t.Errorf("line of %d characters: %s", n, line)
		}
	}
}

func TestUsageNamesEverything(t *testing.T) {
	var b strings.Builder
	if err := Usage(&b); err != nil {
		t.Fatal(err)
	}
	for _, v := range variables() {
		if part := v.assignment() + " " + v.meaning; !strings.Contains(unwrapped(b.String()), part) {
			t.Errorf("usage lacks %q", part)
		}
	}
	wantNarrow(t, b.String())
}

func TestExplain(t *testing.T) {
	for _, v := range variables() {
		var b strings.Builder
		if err := Explain(&b, strings.ToLower(v.name)); err != nil {
			t.Fatal(err)
		}
		text := unwrapped(b.String())
		if !strings.HasPrefix(text, v.name+" ") || !strings.Contains(text, v.meaning) || !strings.Contains(text, "Must be "+v.kind.accepts+".") {
			t.Errorf("%s: got %q", v.name, text)
		}
		if strings.Count(text, "Must be ") != 1 {
			t.Errorf("%s: more than one variable is explained", v.name)
		}
		wantNarrow(t, b.String())
	}
	var b strings.Builder
	if err := Explain(&b, "redis_tls"); err != nil || strings.Count(b.String(), "Must be ") != 1 {
		t.Errorf("a whole name explains %q, %v", b.String(), err)
	}
	b.Reset()
	if err := Explain(&b, "CHAT_"); err != nil || strings.Count(b.String(), "Must be ") != len(chatSection().rows) {
		t.Errorf("a part of names explains %q, %v", b.String(), err)
	}
	for name, want := range map[string]string{"NODE_PROT": "did you mean NODE_PORT?", "": "no variable", "zzz": `no variable "zzz"`} {
		if err := Explain(&b, name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", name, err, want)
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

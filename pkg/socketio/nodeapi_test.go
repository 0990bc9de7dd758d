package socketio_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestNodeAPI: every row of NODE-API.md that says ✓, by naming tests, names tests that exist; a row without says why.
func TestNodeAPI(t *testing.T) {
	page, err := os.ReadFile("NODE-API.md")
	if err != nil {
		t.Fatal(err)
	}
	code := map[string]string{"": tests(t, ".")}
	for _, other := range []string{"engineio", "httpserver"} {
		code[other+"."] = tests(t, "../"+other)
	}
	name := regexp.MustCompile(`(\w+\.)?(Test\w+)`)
	rows := 0
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(line, "|")
		if len(cells) != 5 || strings.Contains(line, "---") || strings.Contains(line, "| Node |") {
			continue
		}
		rows++
		tests := name.FindAllStringSubmatch(cells[3], -1)
		if strings.TrimSpace(cells[2]) == "✗" {
			if len(tests) > 0 || len(strings.TrimSpace(cells[3])) < 10 {
				t.Errorf("a row without counterpart gives no reason: %s", line)
			}
			continue
		}
		if len(tests) == 0 {
			t.Errorf("a row names no test: %s", line)
		}
		for _, test := range tests {
			if !strings.Contains(code[test[1]], "\nfunc "+test[2]+"(t *testing.T)") {
				t.Errorf("there is no %s: %s", test[0], line)
			}
		}
	}
	if rows < 40 {
		t.Errorf("found %d rows", rows)
	}
}

// tests returns the tests of a package.
func tests(t *testing.T, folder string) string {
	t.Helper()
	sources, err := filepath.Glob(folder + "/*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var code strings.Builder
	for _, file := range sources {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		code.Write(b)
	}
	return code.String()
}

package suites

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A title of a published suite, and what stands for it here.
type title struct {
	Suite string   // its repository and file
	Title string   // as it is there
	Tests []string // "node/suites/FILE: TITLE", or "PACKAGE:TestName/subtest" below pkg/
	Why   string   // why there is none
}

// TestTitles checks that every title has a test that exists, or a reason.
func TestTitles(t *testing.T) {
	b, err := os.ReadFile("titles.json")
	if err != nil {
		t.Fatal(err)
	}
	var list []title
	if err := json.Unmarshal(b, &list); err != nil {
		t.Fatal(err)
	}
	if len(list) < 400 {
		t.Errorf("only %d titles", len(list))
	}
	sources := map[string]string{}
	for _, row := range list {
		if (len(row.Tests) == 0) == (row.Why == "") {
			t.Errorf("%s: %q has to have tests, or a reason why not", row.Suite, row.Title)
		}
		for _, name := range row.Tests {
			if !exists(t, sources, name) {
				t.Errorf("%s: %q names %q, which is not there", row.Suite, row.Title, name)
			}
		}
	}
}

func exists(t *testing.T, sources map[string]string, name string) bool {
	if file, what, ok := strings.Cut(name, ": "); ok {
		text := source(t, sources, "../"+file+"*.mjs")
		for _, quote := range []string{"'", "`", `"`} {
			if strings.Contains(text, "it("+quote+what+quote) {
				return true
			}
		}
		return false
	}
	folder, test, _ := strings.Cut(name, ":")
	test, sub, _ := strings.Cut(test, "/")
	if folder = "../../" + folder; folder == "../../suites" {
		folder = "."
	}
	text := source(t, sources, folder+"/*_test.go")
	_, body, found := strings.Cut(text, "\nfunc "+test+"(")
	if !found {
		return false
	}
	body, _, _ = strings.Cut(body, "\n}\n")
	return strings.Contains(body, `"`+strings.ReplaceAll(sub, "_", " "))
}

// source is the text of all files of a pattern.
func source(t *testing.T, sources map[string]string, pattern string) string {
	t.Helper()
	if text, ok := sources[pattern]; ok {
		return text
	}
	files, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(b)
	}
	sources[pattern] = all.String()
	return all.String()
}

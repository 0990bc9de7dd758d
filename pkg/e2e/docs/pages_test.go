package docs

import (
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const root = "../../.."

// readmeLines is how long the front page may be.
const readmeLines = 150

// pages returns the paths of all Markdown files, relative to the root.
func pages(t *testing.T) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "node_modules" || entry.Name() == ".git" || entry.Name() == "dist"):
			return filepath.SkipDir
		case filepath.Ext(path) == ".md":
			found = append(found, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) < 10 {
		t.Fatalf("found %d pages, which are too few to be all", len(found))
	}
	return found
}

func TestReadmeIsShort(t *testing.T) {
	if n := strings.Count(read(t, filepath.Join(root, "README.md")), "\n"); n > readmeLines {
		t.Errorf("README.md has %d lines, more than %d: move what only some readers need to their page", n, readmeLines)
	}
}

var (
	link    = regexp.MustCompile(`\[[^\]]*\]\(([^()\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#{1,6} +(.+?) *$`)
	fence   = regexp.MustCompile("(?ms)^```.*?^```")
)

// TestLinks follows every link between files of this tree, to the heading if it names one. Links to other hosts are only
// checked for their form: no test depends on those hosts.
func TestLinks(t *testing.T) {
	for _, page := range pages(t) {
		text := fence.ReplaceAllString(read(t, page), "")
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			target, err := url.Parse(m[1])
			if err != nil {
				t.Errorf("%s: %s: %v", page, m[1], err)
				continue
			}
			if target.Scheme != "" {
				if target.Scheme != "https" && target.Hostname() != "localhost" && target.Hostname() != "127.0.0.1" {
					t.Errorf("%s: %s is not https", page, m[1])
				}
				continue
			}
			checkTarget(t, page, target)
		}
	}
}

func checkTarget(t *testing.T, page string, target *url.URL) {
	t.Helper()
	file := page
	if target.Path != "" {
		file = filepath.Join(filepath.Dir(page), target.Path)
	}
	info, err := os.Stat(file)
	if err != nil {
		t.Errorf("%s: %s leads nowhere", page, target)
		return
	}
	if target.Fragment == "" || info.IsDir() {
		return
	}
	for _, h := range heading.FindAllStringSubmatch(fence.ReplaceAllString(read(t, file), ""), -1) {
		if anchor(h[1]) == target.Fragment {
			return
		}
	}
	t.Errorf("%s: %s: %s has no such heading", page, target, file)
}

var notInAnchor = regexp.MustCompile(`[^\p{L}\p{N}\- _]`)

// anchor is the name that GitHub gives to a heading.
func anchor(heading string) string {
	return strings.ReplaceAll(notInAnchor.ReplaceAllString(strings.ToLower(heading), ""), " ", "-")
}

func TestAnchor(t *testing.T) {
	for heading, want := range map[string]string{
		"When Redis is away":               "when-redis-is-away",
		"Is it for you?":                   "is-it-for-you",
		"`REDIS_URL`, and what it accepts": "redis_url-and-what-it-accepts",
		"여러 인스턴스 (Redis)":                  "여러-인스턴스-redis",
	} {
		if got := anchor(heading); got != want {
			t.Errorf("anchor(%q) = %q, want %q", heading, got, want)
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

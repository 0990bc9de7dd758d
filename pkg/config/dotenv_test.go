package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func writeDotenv(t testing.TB, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), ".env")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestDotenv(t *testing.T) {
	for _, tt := range []struct {
		name, file string
		environ    []string
		port       int
		redis      string
	}{
		{"the seed's file", "NODE_PORT=3001\nREDIS_PORT=10300\nREDIS_HOST=localhost\n", nil, 3001, "redis://localhost:10300"},
		{"real environment wins", "NODE_PORT=3001\n", []string{"NODE_PORT=3002"}, 3002, "none"},
		{"also when it is empty", "NODE_PORT=3001\n", []string{"NODE_PORT="}, 3000, "none"},
		{"comments, quotes, export, Windows lines, byte order mark",
			"\ufeff# chat\r\nexport NODE_PORT=\"3001\"\r\nREDIS_HOST='r' # here\r\nREDIS_PORT: 1\r\n", nil, 3001, "redis://r:1"},
		{"empty file", "", nil, 3000, "none"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := Load(tt.environ, writeDotenv(t, tt.file))
			if err != nil {
				t.Fatal(err)
			}
			if c.HTTP.Port != tt.port || c.Redis.String() != tt.redis {
				t.Errorf("got port %d and Redis %s, want %d and %s", c.HTTP.Port, c.Redis, tt.port, tt.redis)
			}
		})
	}
}

func TestDotenvMissing(t *testing.T) {
	if _, err := Load(nil, filepath.Join(t.TempDir(), ".env")); err != nil {
		t.Error(err)
	}
}

func TestDotenvProblems(t *testing.T) {
	for _, tt := range []struct{ name, file, want string }{
		{"wrong value", "NODE_PORT=many\n", `NODE_PORT="many": must be a whole number from 0 to 65535, in FILE`},
		{"not a variable", "NODE_PORT=1\nTOKEN hunter2\n", "FILE: line 2 is not NAME=value"},
		{"no equals sign at the end", "NODE_PORT=1\nhunter2", "FILE: line 2 is not NAME=value"},
		{"after a quoted value of two lines", "A=\"x\ny\"\n\nhunter-2=1\n", "FILE: line 4 is not NAME=value"},
		{"open quote", "NODE_PORT=1\nA=\"hunter2\nB=1\n", "FILE: line 2 is not NAME=value"},
		{"too large", "#" + strings.Repeat("x", maxDotenv), "FILE: is larger than 64 KiB; remove it or put another file there"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			name := writeDotenv(t, tt.file)
			_, err := Load(nil, name)
			var bad *Error
			if !errors.As(err, &bad) || len(bad.Problems) != 1 {
				t.Fatalf("error is %v, want an *Error with one problem", err)
			}
			if got := strings.ReplaceAll(bad.Problems[0].String(), name, "FILE"); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			if strings.Contains(err.Error(), "hunter") {
				t.Errorf("the message quotes the file: %s", err)
			}
		})
	}
	if _, err := Load(nil, t.TempDir()); err == nil {
		t.Error("a directory is read as a file")
	}
}

func TestMisspeltNameInFile(t *testing.T) {
	name := writeDotenv(t, "REDIS_PROT=1\n")
	c, err := Load(nil, name)
	if err != nil {
		t.Fatal(err)
	}
	if want := "REDIS_PROT (" + name + ") is not a variable of this server; did you mean REDIS_PORT?"; len(c.Warnings) != 1 || c.Warnings[0] != want {
		t.Errorf("warns %q, want %q", c.Warnings, want)
	}
}

// Whatever stands in the file, reading it ends with a configuration or with problems.
func FuzzDotenv(f *testing.F) {
	for _, seed := range []string{"", "NODE_PORT=1\n", "A=\"x\ny\"\n", "A='", "export A", "=", "A=${B}$A\n", "\ufeff", "#", "A:\n", "\xff\xfe=1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 2000 {
			return // the search for the line is quadratic; the size of a file is bounded elsewhere
		}
		_, err := parseDotenv([]byte(text))
		if line := offendingLine([]byte(text)); err != nil && (line < 1 || line > strings.Count(text, "\n")+1) {
			t.Errorf("line %d of %q", line, text)
		}
	})
}

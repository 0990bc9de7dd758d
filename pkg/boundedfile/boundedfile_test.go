//go:build unix

package boundedfile

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestRead(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, path string
		text, fail string
	}{
		{"a file", write("file", "text"), "text", ""},
		{"an empty file", write("empty", ""), "", ""},
		{"as much as may be", write("full", "12345678"), "12345678", ""},
		{"a byte more", write("long", "123456789"), "", "has more than 8 bytes"},
		{"no file", filepath.Join(dir, "nowhere"), "", "no such file"},
		{"a directory", dir, "", "is a directory"},
		{"a device without an end", "/dev/zero", "", "/dev/zero has more than 8 bytes"},
		{"a pipe without a writer", fifo, "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			text, err := Read(tc.path, 8)
			if tc.fail == "" && err != nil || tc.fail != "" && (err == nil || !strings.Contains(err.Error(), tc.fail)) {
				t.Errorf("got %v, want %q", err, tc.fail)
			}
			if string(text) != tc.text {
				t.Errorf("got %q", text)
			}
		})
	}
}

// A pipe with a writer, as the shell's <(command) is, is read to its end.
func TestReadPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	go func() {
		defer w.Close()
		for _, part := range []string{"a ", "secret"} {
			if _, err := w.WriteString(part); err != nil {
				t.Error(err)
			}
		}
	}()
	if text, err := Read(fmt.Sprint("/dev/fd/", r.Fd()), 100); err != nil || string(text) != "a secret" {
		t.Errorf("got %q, %v", text, err)
	}
}

//go:build unix

package config

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Whatever a setting names, the start neither hangs over it nor takes all memory for it.
func TestFilesThatAreNone(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	redis := []string{"REDIS_URL=rediss://127.0.0.1:6379"}
	for name, with := range map[string][]string{
		"AUTH_JWT_SECRET_FILE": nil,
		"AUTH_JWT_KEY_FILE":    nil,
		"REDIS_TLS_CA":         redis,
		"REDIS_TLS_CERT":       append(redis, "REDIS_TLS_KEY=/dev/zero"),
	} {
		for _, path := range []string{"/dev/zero", fifo} {
			if _, err := Load(append([]string{name + "=" + path}, with...), ""); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%s=%s: %v", name, path, err)
			}
		}
	}
	for _, path := range []string{"/dev/zero", fifo} {
		if _, err := Load(nil, path); (err == nil) != (path == fifo) { // an empty file has no settings
			t.Errorf("settings in %s: %v", path, err)
		}
	}
}

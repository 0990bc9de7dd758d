package docs

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestSamples lets the programs check the files that operators copy. A program that is not installed is skipped: only HAProxy and nginx are
// among what the tests install.
func TestSamples(t *testing.T) {
	for _, sample := range []struct {
		file    string
		program string
		args    []string // the sample's path comes last
	}{
		{"deploy/proxies/nginx.conf", "nginx", []string{"-t", "-q", "-g", "error_log stderr; pid nginx.pid;", "-c"}},
		{"deploy/proxies/haproxy.cfg", "haproxy", []string{"-c", "-q", "-f"}},
		{"deploy/proxies/Caddyfile", "caddy", []string{"validate", "--adapter", "caddyfile", "--config"}},
		{"deploy/systemd/chat-server.service", "systemd-analyze", []string{"verify", "--man=no"}},
	} {
		t.Run(filepath.Base(sample.file), func(t *testing.T) {
			program, err := exec.LookPath(sample.program)
			if err != nil {
				t.Skipf("%s is not installed", sample.program)
			}
			dir := t.TempDir()
			path := filepath.Join(dir, filepath.Base(sample.file))
			text := withCertificate(t, dir, read(t, filepath.Join(root, sample.file)))
			// systemd-analyze looks for the program that the service names.
			text = strings.ReplaceAll(text, "/usr/local/bin/chat-server", "/bin/true")
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), program, append(sample.args, path)...)
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "HOME="+dir)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s refuses %s: %v\n%s", sample.program, sample.file, err, out)
			}
		})
	}
}

var haproxySample = regexp.MustCompile("(?s)```haproxy\n(.*?)```")

// TestMigrationSample lets HAProxy check the configuration that the page on migration shows.
func TestMigrationSample(t *testing.T) {
	haproxy, err := exec.LookPath("haproxy")
	if err != nil {
		t.Skip("haproxy is not installed")
	}
	sample := haproxySample.FindStringSubmatch(read(t, filepath.Join(root, "deploy/docs/migration.md")))
	if sample == nil {
		t.Fatal("migration.md has no configuration of HAProxy")
	}
	const defaults = "defaults\n    mode http\n    timeout connect 2s\n    timeout client 90s\n    timeout server 90s\n"
	path := filepath.Join(t.TempDir(), "haproxy.cfg")
	if err := os.WriteFile(path, []byte(defaults+sample[1]), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), haproxy, "-c", "-q", "-f", path).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("haproxy: %v\n%s", err, out)
	}
}

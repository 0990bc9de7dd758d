//go:build linux

package bench

import (
	"cmp"
	"context"
	"crypto/sha256"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
)

// Each folder has its own pinned dependencies, so that one that cannot be installed leaves the others alone.
//
//go:embed node/package.json node/package-lock.json node/*.js node/uws node/bun node/newest
var nodeFiles embed.FS

// install returns where an npm folder ("" is the first) is installed.
func (s *servers) install(ctx context.Context, folder string) (dir string, err error) {
	return s.once(ctx, path.Join("node", folder), func() (string, error) { return s.unpack(ctx, folder) })
}

// unpack puts an npm folder into the user's cache with the scripts that all share, and installs its dependencies there.
func (s *servers) unpack(ctx context.Context, folder string) (dir string, err error) {
	content, hash, err := npmFiles(folder)
	if err != nil {
		return "", err
	}
	dir = s.temp
	if cache, err := os.UserCacheDir(); err == nil {
		dir = cache
	}
	dir = filepath.Join(dir, "chat-load", fmt.Sprintf("%s-%s", cmp.Or(folder, "node"), hash))
	installed := filepath.Join(dir, "installed")
	if _, err := os.Stat(installed); err != nil {
		s.log("installing the servers of cmd/chat-load/bench/%s from npm", path.Join("node", folder))
		if err := npmInstall(ctx, dir, content); err != nil {
			return "", fmt.Errorf("install the servers of %s (npm and node 18 or later are needed): %w", path.Join("node", folder), err)
		}
		if err := os.WriteFile(installed, nil, 0o644); err != nil {
			return "", fmt.Errorf("install the servers: %w", err)
		}
	}
	return dir, nil
}

// npmFiles are what an installation of the folder consists of, by file name, and their hash.
func npmFiles(folder string) (content map[string][]byte, hash string, err error) {
	sum := sha256.New()
	content = map[string][]byte{}
	for _, pattern := range []string{"node/*.js", path.Join("node", folder, "*.js*")} {
		names, err := fs.Glob(nodeFiles, pattern)
		if err != nil {
			return nil, "", err
		}
		for _, name := range names {
			b, err := nodeFiles.ReadFile(name)
			if err != nil {
				return nil, "", err
			}
			fmt.Fprintf(sum, "%s %d\n%s", name, len(b), b)
			content[path.Base(name)] = b
		}
	}
	return content, fmt.Sprintf("%x", sum.Sum(nil)[:8]), nil
}

func npmInstall(ctx context.Context, dir string, content map[string][]byte) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, b := range content {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			return err
		}
	}
	cmd := exec.CommandContext(ctx, "npm", "ci", "--no-audit", "--no-fund")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}

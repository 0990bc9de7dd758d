//go:build linux

package bench

import (
	"context"
	"crypto/sha256"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// kind is a server that the table compares.
type kind string

const (
	ours    kind = "ours"
	floorGo kind = "bare Go"
	node4   kind = "socket.io 4.8.4"
	node2   kind = "socket.io 2.4.1"
)

//go:embed node/package.json node/package-lock.json node/*.js
var nodeFiles embed.FS

// servers knows how to start each kind. What must be built or installed is, at the first use.
type servers struct {
	binary  string // ours; "" means build it
	temp    string // for what is built
	nodeDir string // where the Node servers are installed; "" means not yet
	log     func(format string, args ...any)
}

// start runs instances of a kind. With Redis they share one that is started for them.
func (s *servers) start(ctx context.Context, v variant) (group, error) {
	argv, dir, err := s.command(ctx, v.server)
	if err != nil {
		return nil, err
	}
	env := []string{"CHAT_JOIN_NOTICE=" + strconv.FormatBool(v.notice)}
	var g group
	if v.redis {
		redis, err := startRedis(ctx, s.temp)
		if err != nil {
			return nil, err
		}
		g = append(g, member{process: redis, support: true})
		env = append(env, "REDIS_HOST=127.0.0.1", "REDIS_PORT="+strconv.Itoa(redis.port))
	}
	for range max(v.instances, 1) {
		p, err := startProcess(ctx, dir, env, func(int) []string { return argv })
		if err != nil {
			g.stop()
			return nil, err
		}
		g = append(g, member{process: p})
	}
	return g, nil
}

func startRedis(ctx context.Context, dir string) (*process, error) {
	p, err := startProcess(ctx, dir, nil, func(port int) []string {
		return []string{"redis-server", "--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"}
	})
	if err != nil {
		return nil, fmt.Errorf("the bench needs redis-server (apt-get install redis-server): %w", err)
	}
	return p, nil
}

// group is what was started for one trial.
type group []member

type member struct {
	*process
	support bool // Redis: not under test itself
}

func (g group) stop() {
	for _, m := range g {
		m.process.stop()
	}
}

// addresses and pids are those of the servers under test.
func (g group) addresses() (urls []string, pids []int) {
	for _, m := range g {
		if !m.support {
			urls, pids = append(urls, m.url()), append(pids, m.pid())
		}
	}
	return urls, pids
}

// command is how to run a kind, and where.
func (s *servers) command(ctx context.Context, k kind) (argv []string, dir string, err error) {
	switch k {
	case ours:
		err = s.build(ctx)
		return []string{s.binary}, s.temp, err
	case floorGo:
		self, err := os.Executable()
		return []string{self, "floor"}, s.temp, err
	case node4, node2:
		err := s.installNode(ctx)
		script := "server4.js"
		if k == node2 {
			script = "server2.js"
		}
		return []string{"node", script}, s.nodeDir, err
	}
	return nil, "", fmt.Errorf("no server is called %q", k)
}

// build makes our server from the module that the bench is run in.
func (s *servers) build(ctx context.Context) error {
	if s.binary != "" {
		return nil
	}
	s.log("building cmd/chat-server")
	binary := filepath.Join(s.temp, "chat-server")
	out, err := exec.CommandContext(ctx, "go", "build", "-o", binary, "socketio-chat/cmd/chat-server").CombinedOutput()
	if err != nil {
		return fmt.Errorf("build the server (run the bench inside its module, or name a binary with --binary): %w\n%s", err, out)
	}
	s.binary = binary
	return nil
}

// installNode unpacks the Node servers into the user's cache and installs their pinned dependencies there, once.
func (s *servers) installNode(ctx context.Context) error {
	if s.nodeDir != "" {
		return nil
	}
	names, err := fs.Glob(nodeFiles, "node/*")
	if err != nil {
		return err
	}
	hash := sha256.New()
	content := map[string][]byte{}
	for _, name := range names {
		b, err := nodeFiles.ReadFile(name)
		if err != nil {
			return err
		}
		fmt.Fprintf(hash, "%s %d\n%s", name, len(b), b)
		content[filepath.Base(name)] = b
	}
	dir := s.temp
	if cache, err := os.UserCacheDir(); err == nil {
		dir = cache
	}
	dir = filepath.Join(dir, "chat-load", fmt.Sprintf("node-%x", hash.Sum(nil)[:8]))
	installed := filepath.Join(dir, "installed")
	if _, err := os.Stat(installed); err == nil {
		s.nodeDir = dir
		return nil
	}
	s.log("installing the Node servers from npm")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("install the Node servers: %w", err)
	}
	for name, b := range content {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			return fmt.Errorf("install the Node servers: %w", err)
		}
	}
	cmd := exec.CommandContext(ctx, "npm", "ci", "--no-audit", "--no-fund")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("install the Node servers (npm and node 18 or later are needed): %w\n%s", err, out)
	}
	if err := os.WriteFile(installed, nil, 0o644); err != nil {
		return fmt.Errorf("install the Node servers: %w", err)
	}
	s.nodeDir = dir
	return nil
}

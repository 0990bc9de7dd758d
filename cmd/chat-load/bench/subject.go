//go:build linux

package bench

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// kind is a server that the table compares.
type kind = string

const (
	ours    kind = "ours"
	floorGo kind = "bare Go"
	ringGo  kind = "bare Go, io_uring"
	node4   kind = "socket.io 4.8.4"
	node2   kind = "socket.io 2.4.1"
	uws     kind = "… on uWebSockets.js"
	newest4 kind = "… on Node.js 26"
	bun4    kind = "… on Bun"
	centri  kind = "Centrifuge"
	nats    kind = "NATS"
)

// optional says that the table is measured without this kind where it cannot be had or does not stand the load.
func optional(k kind) bool {
	return slices.Contains([]kind{uws, newest4, bun4, ringGo, centri, nats}, k)
}

// servers knows how to start each kind. What must be built or installed is, at the first use.
type servers struct {
	binary string             // ours; "" means build it
	temp   string             // for what is built
	peers  map[string]outcome // of what was installed or built, by its folder in cmd/chat-load/bench
	log    func(format string, args ...any)
}

// outcome is where something is, or why it cannot be had.
type outcome struct {
	path string
	err  error
}

// once prepares what is in a folder and remembers the outcome: what failed in one row would fail in the next, after as long a
// wait. An attempt that the end of ctx has interrupted says nothing and is forgotten.
func (s *servers) once(ctx context.Context, folder string, prepare func() (path string, err error)) (string, error) {
	if o, ok := s.peers[folder]; ok {
		return o.path, o.err
	}
	path, err := prepare()
	if ctx.Err() == nil {
		if s.peers == nil {
			s.peers = map[string]outcome{}
		}
		s.peers[folder] = outcome{path, err}
	}
	return path, err
}

// start runs instances of a kind. With Redis they share one that is started for them.
func (s *servers) start(ctx context.Context, v variant) (group, error) {
	argv, dir, err := s.command(ctx, v.server)
	if err != nil {
		return nil, err
	}
	env := append([]string{"CHAT_JOIN_NOTICE=" + strconv.FormatBool(v.notice)}, v.env...)
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
	case ringGo:
		self, err := os.Executable()
		return []string{self, "floor", "--io-uring"}, s.temp, err
	case centri:
		return s.neighbour(ctx, "centrifuge")
	case nats:
		return s.neighbour(ctx, "nats")
	case node4:
		return s.script(ctx, "", "server4.js", "node")
	case node2:
		return s.script(ctx, "", "server2.js", "node")
	case uws:
		return s.script(ctx, "uws", "server.js", "node")
	case bun4:
		return s.script(ctx, "bun", "server.js", "node_modules/bun/bin/bun.exe")
	case newest4:
		dir, err := s.install(ctx, "newest")
		if err != nil {
			return nil, "", err
		}
		return s.script(ctx, "", "server4.js", filepath.Join(dir, "node_modules/node/bin/node"))
	}
	return nil, "", fmt.Errorf("no server is called %q", k)
}

// script runs a script of an npm folder, with an interpreter from PATH or from the folder.
func (s *servers) script(ctx context.Context, folder, script, interpreter string) (argv []string, dir string, err error) {
	dir, err = s.install(ctx, folder)
	if err != nil {
		return nil, "", err
	}
	if filepath.Base(interpreter) != interpreter && !filepath.IsAbs(interpreter) {
		interpreter = filepath.Join(dir, interpreter)
	}
	return []string{interpreter, script}, dir, nil
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

// neighbour is how to run a server outside the protocol.
func (s *servers) neighbour(ctx context.Context, name string) (argv []string, dir string, err error) {
	binary, err := s.once(ctx, "neighbours/"+name, func() (string, error) { return s.buildNeighbour(ctx, name) })
	return []string{binary}, s.temp, err
}

// buildNeighbour builds it, of a module of its own.
func (s *servers) buildNeighbour(ctx context.Context, name string) (binary string, err error) {
	s.log("building cmd/chat-load/bench/neighbours/%s", name)
	module, err := exec.CommandContext(ctx, "go", "list", "-f", "{{.Dir}}", "socketio-chat/cmd/chat-load/bench").Output()
	if err != nil {
		return "", fmt.Errorf("find the neighbours' module (run the bench inside its module): %w", err)
	}
	binary = filepath.Join(s.temp, "neighbour-"+name)
	cmd := exec.CommandContext(ctx, "go", "build", "-o", binary, "./"+name)
	cmd.Dir = filepath.Join(strings.TrimSpace(string(module)), "neighbours")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", name, err, out)
	}
	return binary, nil
}

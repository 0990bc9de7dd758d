package redisadapter

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	rtypes "github.com/zishang520/socket.io-go-redis/types"

	"socketio-chat/pkg/redisadapter/internal/cluster"
	"socketio-chat/pkg/testenv"
)

// testServer is a Redis with a port, which what spans several servers needs. Nobody else can be kept
// from a free port, so a start that fails is tried again.
type testServer struct {
	dir       string
	port, bus int
	args      []string
	cmd       *exec.Cmd
}

// freePort returns a port that was free a moment ago.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// startServer starts program with args; in them, $PORT, $BUS and $DIR are replaced.
func startServer(args ...string) (*testServer, error) {
	for try := 0; ; try++ {
		s, err := startOnce(args)
		if err == nil || try == 5 {
			return s, err
		}
		s.remove()
	}
}

func startOnce(args []string) (s *testServer, err error) {
	s = &testServer{args: args}
	if s.dir, err = os.MkdirTemp("", "redis"); err != nil {
		return s, err
	}
	if s.port, err = freePort(); err != nil {
		return s, err
	}
	if s.bus, err = freePort(); err != nil {
		return s, err
	}
	return s, s.start()
}

func (s *testServer) start() error {
	r := strings.NewReplacer("$PORT", fmt.Sprint(s.port), "$BUS", fmt.Sprint(s.bus), "$DIR", s.dir)
	args := make([]string, len(s.args))
	for i, a := range s.args {
		args[i] = r.Replace(a)
	}
	s.cmd = exec.Command("redis-server", args...)
	s.cmd.Dir = s.dir
	if err := s.cmd.Start(); err != nil {
		return err
	}
	deadline := time.Now().Add(testPatience)
	for time.Now().Before(deadline) {
		c, err := net.Dial("tcp", s.addr())
		if err == nil {
			return c.Close()
		}
		time.Sleep(5 * time.Millisecond) // there is nothing to wait on but the port itself
	}
	s.kill()
	return fmt.Errorf("redis-server does not listen on port %d", s.port)
}

func (s *testServer) addr() string { return fmt.Sprintf("127.0.0.1:%d", s.port) }

func (s *testServer) kill() {
	if s.cmd != nil && s.cmd.Process != nil {
		_ = s.cmd.Process.Signal(resumeSignal)
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
	}
	s.cmd = nil
}

func (s *testServer) remove() {
	s.kill()
	os.RemoveAll(s.dir)
}

// client returns a client for this server alone.
func (s *testServer) client() *redis.Client {
	return redis.NewClient(&redis.Options{Addr: s.addr(), DialTimeout: time.Second, ReadTimeout: 5 * time.Second, DialerRetries: 1, MaxRetries: -1, Protocol: 2})
}

// do runs a command.
func (s *testServer) do(args ...any) (any, error) {
	c := s.client()
	defer c.Close()
	v, err := c.Do(context.Background(), args...).Result()
	if err != nil {
		err = fmt.Errorf("%v: %w", args, err)
	}
	return v, err
}

// redisCluster is a Redis Cluster of three masters and a replica of the first. All tests of this
// package use the same one.
type redisCluster struct {
	servers []*testServer
	ids     []string
}

const clusterMasters = 3

var sharedCluster struct { // stopped by TestMain
	once sync.Once
	c    *redisCluster
	err  error
}

// useRedisCluster returns the cluster, all of it well.
func useRedisCluster(tb testing.TB) *redisCluster {
	tb.Helper()
	testenv.Programs(tb, "redis-server")
	sharedCluster.once.Do(func() { sharedCluster.c, sharedCluster.err = formCluster() })
	if sharedCluster.err != nil {
		tb.Fatal(sharedCluster.err)
	}
	sharedCluster.c.settled(tb)
	return sharedCluster.c
}

func stopRedisCluster() {
	if c := sharedCluster.c; c != nil {
		for _, s := range c.servers {
			s.remove()
		}
	}
}

func formCluster() (*redisCluster, error) {
	c := &redisCluster{}
	for range clusterMasters + 1 {
		s, err := startServer("--port", "$PORT", "--cluster-port", "$BUS", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
			"--cluster-enabled", "yes", "--cluster-node-timeout", "1500", "--cluster-require-full-coverage", "no", "--repl-diskless-sync-delay", "0")
		c.servers = append(c.servers, s)
		if err != nil {
			return c, err
		}
	}
	for i, s := range c.servers {
		id, err := s.do("CLUSTER", "MYID")
		if err != nil {
			return c, err
		}
		c.ids = append(c.ids, id.(string))
		if _, err := s.do("CLUSTER", "SET-CONFIG-EPOCH", i+1); err != nil {
			return c, err
		}
		if i < clusterMasters {
			from, to := i*cluster.Slots/clusterMasters, (i+1)*cluster.Slots/clusterMasters-1
			if _, err := s.do("CLUSTER", "ADDSLOTSRANGE", from, to); err != nil {
				return c, err
			}
		}
		for _, other := range c.servers[:i] {
			if _, err := s.do("CLUSTER", "MEET", "127.0.0.1", other.port, other.bus); err != nil {
				return c, err
			}
		}
	}
	deadline := time.Now().Add(testPatience)
	for {
		_, err := c.servers[clusterMasters].do("CLUSTER", "REPLICATE", c.ids[0])
		if err == nil {
			return c, nil
		}
		if time.Now().After(deadline) {
			return c, err
		}
		time.Sleep(20 * time.Millisecond) // until the servers know of each other
	}
}

// settled waits until all servers agree that all is well and one is a replica in step.
func (c *redisCluster) settled(tb testing.TB) {
	tb.Helper()
	eventually(tb, "the Redis Cluster is well", func() bool {
		replicas := 0
		for _, s := range c.servers {
			info, err := s.do("CLUSTER", "INFO")
			text, _ := info.(string)
			if err != nil || !strings.Contains(text, "cluster_state:ok") || !strings.Contains(text, "cluster_slots_ok:16384") ||
				!strings.Contains(text, "cluster_known_nodes:4") {
				return false
			}
			nodes, _ := s.do("CLUSTER", "NODES")
			if text, _ := nodes.(string); strings.Contains(text, "fail") || strings.Contains(text, "handshake") {
				return false
			}
			info, _ = s.do("INFO", "replication")
			if text, _ := info.(string); strings.Contains(text, "role:slave") && strings.Contains(text, "master_link_status:up") {
				replicas++
			}
		}
		return replicas == 1
	})
}

// client returns a client of the whole cluster.
func (c *redisCluster) client() *redis.ClusterClient {
	var addrs []string
	for _, s := range c.servers {
		addrs = append(addrs, s.addr())
	}
	return redis.NewClusterClient(&redis.ClusterOptions{
		Addrs: addrs, DialTimeout: time.Second, ReadTimeout: time.Second, WriteTimeout: time.Second, DialerRetries: 1,
	})
}

func (c *redisCluster) types(tb testing.TB) *rtypes.RedisClient {
	client := c.client()
	tb.Cleanup(func() { client.Close() })
	return rtypes.NewRedisClient(context.Background(), client)
}

// owner finds the master that has a slot.
func (c *redisCluster) owner(tb testing.TB, slot uint16) (index int) {
	tb.Helper()
	client := c.client()
	defer client.Close()
	shards, err := client.ClusterShards(context.Background()).Result()
	if err != nil {
		tb.Fatal(err)
	}
	for _, shard := range shards {
		for _, r := range shard.Slots {
			if int64(slot) < r.Start || int64(slot) > r.End {
				continue
			}
			for _, node := range shard.Nodes {
				for i, s := range c.servers {
					if node.Role == "master" && int64(s.port) == node.Port {
						return i
					}
				}
			}
		}
	}
	tb.Fatalf("nobody has slot %d", slot)
	return 0
}

// move gives a slot to another master.
func (c *redisCluster) move(tb testing.TB, slot uint16, from, to int) {
	tb.Helper()
	for _, step := range []struct {
		at   int
		args []any
	}{
		{to, []any{"CLUSTER", "SETSLOT", slot, "IMPORTING", c.ids[from]}},
		{from, []any{"CLUSTER", "SETSLOT", slot, "MIGRATING", c.ids[to]}},
		{to, []any{"CLUSTER", "SETSLOT", slot, "NODE", c.ids[to]}},
		{from, []any{"CLUSTER", "SETSLOT", slot, "NODE", c.ids[to]}},
	} {
		if _, err := c.servers[step.at].do(step.args...); err != nil {
			tb.Fatal(err)
		}
	}
}

// withReplica returns the master that has a replica.
func (c *redisCluster) withReplica(tb testing.TB) (index int) {
	tb.Helper()
	for i, s := range c.servers {
		info, err := s.do("INFO", "replication")
		if err != nil {
			tb.Fatal(err)
		}
		if strings.Contains(info.(string), "role:master") && strings.Contains(info.(string), "connected_slaves:1") {
			return i
		}
	}
	tb.Fatal("no master has a replica")
	return 0
}

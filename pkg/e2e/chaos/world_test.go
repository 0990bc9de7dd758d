package chaos

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"

	"socketio-chat/pkg/e2e/verdict"
)

func init() { logging.Disable() } // go-redis reports the very faults that these tests make

// A redisServer listens on a Unix socket, where no port can be taken, and keeps its data in an append-only file. It leaves
// the time of fsync to the system: with everysec a slow fsync postpones writes, and what Redis had accepted is lost when it
// is killed.
type redisServer struct {
	*process
	t   testing.TB
	dir string
}

func startRedis(t testing.TB) *redisServer {
	t.Helper()
	dir, err := os.MkdirTemp("", "chaos") // t.TempDir makes paths too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	r := &redisServer{t: t, dir: dir}
	r.restart()
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return r
}

func (r *redisServer) socket() string { return filepath.Join(r.dir, "s") }

// restart starts it with the data it has.
func (r *redisServer) restart() {
	r.t.Helper()
	_ = os.Remove(r.socket())
	r.process = start(r.t, "redis", nil, os.Environ(), "redis-server", "--port", "0", "--unixsocket", r.socket(),
		"--dir", r.dir, "--save", "", "--appendonly", "yes", "--appendfsync", "no")
	r.says(r.t, "eady to accept connections")
}

func (r *redisServer) dial() (net.Conn, error) {
	return net.DialTimeout("unix", r.socket(), time.Second)
}

// do runs a command.
func (r *redisServer) do(args ...any) {
	r.t.Helper()
	c := redis.NewClient(&redis.Options{Network: "unix", Addr: r.socket()})
	defer c.Close()
	if err := c.Do(context.Background(), args...).Err(); err != nil {
		r.t.Errorf("%v: %v", args, err)
	}
}

// An instance is a place for a chat-server: its cables stay when the process is another one.
type instance struct {
	w           *world
	number      int
	front, back *proxy

	mu        sync.Mutex
	process   *process
	addr      string // of the process
	operators string // its address for operators
	life      int    // how many processes there have been
	ends      []ending
}

// An ending is how a process ended that is not there any more.
type ending struct {
	life   int // what lives was
	at     time.Time
	killed bool     // without a chance to say what it had
	log    *process // what it said
}

// A world is a cluster with people on it.
type world struct {
	t         testing.TB
	mode      mode
	path      string
	redis     *redisServer
	instances []*instance
	people    []*person
	incidents verdict.Incidents
	refusals  verdict.Refusals
}

// newWorld starts a cluster of n instances that are all joined.
func newWorld(t testing.TB, path string, m mode, n int) *world {
	t.Helper()
	w := &world{t: t, mode: m, path: path, redis: startRedis(t), incidents: verdict.Incidents{Lossless: m.lossless}}
	for range n {
		w.place().start()
	}
	w.ready()
	return w
}

// place adds a place, with nothing in it yet.
func (w *world) place() *instance {
	in := &instance{w: w, number: len(w.instances)}
	in.back = newProxy(w.t, w.redis.dial)
	in.front = newProxy(w.t, func() (net.Conn, error) {
		in.mu.Lock()
		addr := in.addr
		in.mu.Unlock()
		return net.DialTimeout("tcp", addr, time.Second) // refuses an empty one
	})
	w.instances = append(w.instances, in)
	return in
}

// start puts a new process into the place.
func (in *instance) start() { in.take(in.launch(in.w.path)) }

// A launched process listens at its addresses.
type launched struct {
	process         *process
	addr, operators string
}

// launch starts a process for the place that nobody is sent to yet.
func (in *instance) launch(path string) launched {
	t := in.w.t
	t.Helper()
	host, port, _ := net.SplitHostPort(in.back.addr())
	env := []string{"HOST=127.0.0.1", "NODE_PORT=0", "METRICS_ADDR=127.0.0.1:0", "LOG_FORMAT=json", "CHAT_JOIN_NOTICE=false",
		"DRAIN_SECONDS=6", "REDIS_HOST=" + host, "REDIS_PORT=" + port}
	number := in.lives() + aLife
	in.w.incidents.Began(number)
	heed := func(line string) bool { return in.takeRefusal(number, line) }
	p := start(t, fmt.Sprintf("instance %d", in.number), heed, append(append(os.Environ(), env...), in.w.mode.env...), path)
	var line struct{ Addr, Metrics string }
	if err := json.Unmarshal([]byte(p.says(t, `"listening"`)), &line); err != nil {
		t.Fatal(err)
	}
	return launched{p, line.Addr, line.Metrics}
}

// take makes a process the one that people come to.
func (in *instance) take(l launched) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.process, in.addr, in.operators = l.process, l.addr, l.operators
	in.life++
}

// vacant tells whether no process is in the place.
func (in *instance) vacant() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.addr == ""
}

// leave notes how the process ended, and leaves the place vacant.
func (in *instance) leave(killed bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.ends = append(in.ends, ending{in.livesLocked(), time.Now(), killed, in.process})
	in.addr, in.operators = "", ""
}

// aLife is by how much the name of a process is greater than that of the one before it in its place.
const aLife = 1000

func (in *instance) livesLocked() int { return in.number + aLife*in.life }

// lives is a name for the process that is there now.
func (in *instance) lives() int {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.livesLocked()
}

var probes = &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

// ask gets a page of the operators' address; empty if there is none.
func (in *instance) ask(path string) string {
	in.mu.Lock()
	operators := in.operators
	in.mu.Unlock()
	return probe(operators, path)
}

// probe gets a page of an address for operators; empty if there is none.
func probe(operators, path string) string {
	res, err := probes.Get("http://" + operators + path)
	if err != nil {
		return ""
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		return ""
	}
	return string(text)
}

// metricLines are the samples of a metric, a line each.
func (in *instance) metricLines(name string) string {
	var samples strings.Builder
	for line := range strings.Lines(in.ask("/metrics")) {
		if strings.HasPrefix(line, name+" ") || strings.HasPrefix(line, name+"{") {
			samples.WriteString(line)
		}
	}
	return samples.String()
}

// metric adds up all samples of a metric; ok is false if the instance has none of that name.
func (in *instance) metric(name string) (sum float64, ok bool) {
	for line := range strings.Lines(in.metricLines(name)) {
		fields := strings.Fields(line)
		if v, err := strconv.ParseFloat(fields[len(fields)-1], 64); err == nil {
			sum, ok = sum+v, true
		}
	}
	return sum, ok
}

// ready waits until all instances are.
func (w *world) ready() {
	w.t.Helper()
	for _, in := range w.instances {
		if in.vacant() {
			continue
		}
		eventually(w.t, fmt.Sprintf("instance %d is ready", in.number), func() bool { return in.ask("/readyz") != "" })
	}
}

// confessed is how much the servers say was lost on the way through Redis; ok is false if they say nothing. Processes
// that have ended have taken their counters along.
func (w *world) confessed() (sum float64, ok bool) {
	for _, in := range w.instances {
		for _, name := range []string{"chat_redis_publish_errors_total", "chat_redis_gaps_total"} {
			v, has := in.metric(name)
			sum, ok = sum+v, ok || has
		}
	}
	return sum, ok
}

package socketio

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

var (
	modelSeed = flag.Uint64("model.seed", 0, "seed of TestModel, 0: others each time")
	modelRuns = flag.Int("model.runs", 150, "how many random sequences TestModel tries")
)

// TestModel lets clients of both protocols and the application do random things, and compares what everybody hears with a plain model. When
// they differ it looks for a short sequence that shows it.
func TestModel(t *testing.T) {
	seed := *modelSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	for run := range uint64(*modelRuns) {
		random := rand.New(rand.NewPCG(seed+run, 3))
		ops := make([]op, 10+random.IntN(120))
		for i := range ops {
			ops[i] = randomOp(random, i)
		}
		if err := runModel(t, ops); err != nil {
			ops, err = shrink(t, ops, err)
			t.Fatalf("with -model.seed %d -model.runs 1, and at least\n%s\n%v", seed+run, join(ops), err)
		}
	}
}

// TestModelFindsFaults: a model that is wrong is found out, and with few operations.
func TestModelFindsFaults(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 3))
	var ops []op
	for i := range 60 {
		ops = append(ops, randomOp(random, i))
	}
	ops = append(ops, op{kind: "open", client: 0}, op{kind: "join", client: 0, nsp: modelStatic}, op{kind: "wrong", client: 0, nsp: modelStatic})
	err := runModel(t, ops)
	if err == nil {
		t.Fatal("not found")
	}
	if ops, err = shrink(t, ops, err); len(ops) > 3 {
		t.Errorf("it takes %d operations to show it:\n%s\n%v", len(ops), join(ops), err)
	}
}

func join(ops []op) string {
	var b strings.Builder
	for _, o := range ops {
		fmt.Fprintln(&b, o)
	}
	return b.String()
}

// shrink takes out what is not needed to show a difference, half of it at a time, then less.
func shrink(t *testing.T, ops []op, err error) ([]op, error) {
	for size := len(ops) / 2; size > 0; size /= 2 {
		for at := 0; at+size <= len(ops); {
			without := slices.Delete(slices.Clone(ops), at, at+size)
			if e := runModel(t, without); e != nil {
				ops, err = without, e
			} else {
				at += size
			}
		}
	}
	return ops, err
}

func randomOp(random *rand.Rand, n int) op {
	kinds := []string{
		"open", "open", "open", "join", "join", "join", "join", "join", "leave", "leave", "rejoin", "hasty", "hasty", "cut", "nonsense", "enter", "enter", "exit", "echo",
		"echo binary", "say", "say binary", "volatile", "others", "to room", "to room", "ask", "ask", "answer", "answer", "kick", "kill",
		"server says", "server joins", "server leaves", "server kicks",
	}
	spaces := []string{modelRoot, modelRoot, modelStatic, modelStatic, modelStatic, modelDynamic, modelDynamic, modelLocked, modelNowhere}
	o := op{
		kind: kinds[random.IntN(len(kinds))], client: random.IntN(3), n: n,
		nsp: spaces[random.IntN(len(spaces))], room: []string{"red", "blue", "lobby"}[random.IntN(3)],
	}
	if strings.HasPrefix(o.kind, "server") {
		o.nsp = spaces[random.IntN(5)]
	} else if o.kind != "join" && random.IntN(8) > 0 { // rarely where nobody can be
		o.nsp = spaces[random.IntN(7)]
	}
	return o
}

// runModel does the same to a server and to the model, and returns the first difference.
func runModel(t *testing.T, ops []op) (err error) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.bubble.end()
		defer func() {
			for _, c := range w.clients {
				c.cut()
			}
			synctest.Wait()
		}()
		for i, o := range ops {
			if o.skip(w.model) {
				continue
			}
			w.model.do(o)
			w.do(o)
			synctest.Wait()
			if err = w.compare(o.kind == "kill" || o.kind == "server kicks"); err != nil {
				err = fmt.Errorf("operation %d, %s: %w", i, o, err)
				return
			}
		}
	})
	return err
}

// compare tells how what was heard differs from the model, and forgets it. The server puts several sockets
// out in no order.
func (w *world) compare(unordered bool) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if unordered {
		slices.Sort(w.gone)
		slices.Sort(w.model.gone)
	}
	if got, want := strings.Join(w.gone, "\n"), strings.Join(w.model.gone, "\n"); got != want {
		return fmt.Errorf("the listeners heard of the end of\n%s\nwant\n%s", got, want)
	}
	w.gone, w.model.gone = nil, nil
	for i, c := range w.clients {
		m := w.model.clients[i]
		if unordered {
			slices.Sort(c.heard)
			slices.Sort(m.heard)
		}
		if got, want := strings.Join(c.heard, "\n"), strings.Join(m.heard, "\n"); got != want {
			return fmt.Errorf("client %d (protocol %d) heard\n%s\nwant\n%s", i, m.protocol, got, want)
		}
		if c.conn != nil != m.open {
			return fmt.Errorf("client %d (protocol %d) is connected: %t, want %t", i, m.protocol, c.conn != nil, m.open)
		}
		c.heard, m.heard = nil, nil
	}
	return nil
}

// A world is a server with the clients of a model.
type world struct {
	bubble *bubble
	model  *model
	static map[string]*Namespace

	mu      sync.Mutex
	clients []*worldClient
	gone    []string
	came    int
}

type worldClient struct {
	world    *world
	protocol int
	conn     net.Conn // nil: closed; guarded by world.mu, as is
	heard    []string
	asked    map[string][]string // by namespace: ids
}

var sidPattern = regexp.MustCompile(`\{"sid":"[^"]*"\}$`)

func (w *world) open(c *worldClient) {
	client := w.bubble.call()
	dialer := ws.Dialer{NetDial: func(context.Context, string, string) (net.Conn, error) { return client, nil }}
	conn, br, _, err := dialer.Dial(context.Background(), fmt.Sprintf("ws://model/socket.io/?EIO=%d&transport=websocket", c.protocol))
	if err != nil {
		w.bubble.t.Errorf("dial: %v", err)
		return
	}
	var r io.Reader = conn
	if br != nil {
		r = br
	}
	w.mu.Lock()
	c.conn, c.asked = conn, map[string][]string{}
	w.mu.Unlock()
	w.bubble.ended.Go(func() {
		defer func() {
			conn.Close()
			w.mu.Lock()
			defer w.mu.Unlock()
			if c.conn == conn {
				c.conn = nil
			}
		}()
		for {
			b, op, err := wsutil.ReadServerData(struct {
				io.Reader
				io.Writer
			}{r, conn})
			if err != nil {
				return
			}
			c.hear(string(b), op == ws.OpBinary)
		}
	})
}

// hear notes a message, without what is random in it.
func (c *worldClient) hear(m string, binary bool) {
	c.world.mu.Lock()
	defer c.world.mu.Unlock()
	switch {
	case binary && c.protocol == 3:
		c.heard = append(c.heard, "b:"+strings.TrimPrefix(m, "\x04"))
	case binary:
		c.heard = append(c.heard, "b:"+m)
	case m[0] == '4':
		p := sidPattern.ReplaceAllString(m[1:], "{sid}")
		if i := strings.Index(p, `["q",`); i > 0 {
			nsp, id := modelRoot, p[1:i]
			if name, rest, ok := strings.Cut(id, ","); ok {
				nsp, id = name, rest
			}
			c.asked[nsp] = append(c.asked[nsp], id)
		} else if p[0] == '0' { // what it was asked before, its new socket does not wait for
			name, _, _ := strings.Cut(strings.TrimSuffix(p[1:], "{sid}"), ",")
			delete(c.asked, cmp.Or(name, modelRoot))
		}
		c.heard = append(c.heard, p)
	}
}

func (c *worldClient) cut() {
	c.world.mu.Lock()
	conn := c.conn
	c.conn = nil
	c.world.mu.Unlock()
	if conn != nil {
		conn.Close()
	}
}

package chaos

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gobwas/ws"

	"socketio-chat/pkg/e2e/verdict"
)

// What people remember.
type (
	stay = verdict.Stay
	word = verdict.Word
)

// A person is a client in the chat, who says numbers and remembers what it hears. It comes back whenever its connection
// ends: to the place it was sent to, or the next one that takes it.
type person struct {
	w      *world
	name   string
	modern bool // can be recovered: socket.io 4.6 and later
	old    bool // speaks protocol 3 of Engine.IO, as socket.io 2 does

	mu    sync.Mutex
	stays []stay
	said  []word
	heard []word
	conn  net.Conn     // nil while it is away, and of npm clients
	place int          // where it tries first
	here  string       // its address, as the process knows it that it visits
	tried []int        // processes, since it was connected
	kept  map[int]bool // by number, of the words that were acknowledged: whether the history had them then

	pid, offset, sid string // what Socket.IO clients recover their state with

	stop context.CancelFunc
	done sync.WaitGroup
}

// comeBack is how long a person waits before it tries to connect again.
const comeBack = 50 * time.Millisecond

// join brings n people to each place, who come and stay until the test ends.
func (w *world) join(n int) {
	w.t.Helper()
	for i := range n * len(w.instances) {
		w.enter(&person{w: w, name: fmt.Sprintf("p%d", i), modern: true, place: i % len(w.instances)})
	}
	w.gathered()
}

// enter lets a person come.
func (w *world) enter(p *person) {
	ctx, stop := context.WithCancel(context.Background())
	p.stop = stop
	p.done.Go(func() { p.live(ctx) })
	w.people = append(w.people, p)
	w.t.Cleanup(p.leave)
}

// gathered waits until everybody is there.
func (w *world) gathered() {
	w.t.Helper()
	for _, p := range w.people {
		eventually(w.t, p.name+" is connected", p.present)
	}
}

func (p *person) leave() {
	if p.stop != nil {
		p.stop()
		p.cut()
		p.done.Wait()
	}
}

// live is the person's life.
func (p *person) live(ctx context.Context) {
	for ctx.Err() == nil {
		p.mu.Lock()
		in := p.w.instances[p.place%len(p.w.instances)]
		p.mu.Unlock()
		err := p.visit(ctx, in)
		p.mu.Lock()
		if p.conn != nil {
			p.conn = nil
			p.stays[len(p.stays)-1].To = time.Now()
		} else if err != nil {
			p.place++ // nobody home: try the next
		}
		p.mu.Unlock()
		select {
		case <-ctx.Done():
		case <-time.After(comeBack):
		}
	}
}

// visit connects and listens until the connection ends.
func (p *person) visit(ctx context.Context, in *instance) error {
	at := in.lives()
	dialer := ws.Dialer{Timeout: 5 * time.Second}
	protocol := "4"
	if p.old {
		protocol = "3"
	}
	conn, buffered, _, err := dialer.Dial(ctx, "ws://"+in.front.addr()+"/socket.io/?EIO="+protocol+"&transport=websocket")
	if err != nil {
		return err
	}
	defer conn.Close()
	if in.lives() != at {
		return errReplaced
	}
	p.mu.Lock()
	p.here, p.tried = in.front.beyond(conn.LocalAddr()), append(p.tried, at)
	p.mu.Unlock()
	if p.old {
		defer p.ping(conn)()
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	read := bufio.NewReader(conn)
	if buffered != nil {
		read = bufio.NewReader(io.MultiReader(buffered, conn))
	}
	for {
		f, err := readFrame(read)
		if err != nil {
			return err
		}
		if f.Header.OpCode == ws.OpClose {
			_ = write(conn, ws.NewCloseFrame(nil))
			return nil
		}
		if err := p.packet(conn, at, string(f.Payload)); err != nil {
			return err
		}
	}
}

func write(conn net.Conn, f ws.Frame) error { return ws.WriteFrame(conn, ws.MaskFrameInPlace(f)) }

func writeText(conn net.Conn, text string) error { return write(conn, ws.NewTextFrame([]byte(text))) }

var (
	errRefused  = errors.New("the namespace was refused")
	errReplaced = errors.New("the process was replaced meanwhile")
)

// ping is what clients of protocol 3 do: their heartbeat is their own.
func (p *person) ping(conn net.Conn) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		tick := time.NewTicker(5 * time.Second)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				p.mu.Lock()
				_ = conn.SetWriteDeadline(time.Now().Add(time.Second))
				_ = writeText(conn, "2")
				p.mu.Unlock()
			}
		}
	})
	return func() { cancel(); done.Wait() }
}

// packet acts on what the server says.
func (p *person) packet(conn net.Conn, at int, text string) error {
	switch {
	case strings.HasPrefix(text, "0") && p.old:
		return writeText(conn, "40/chat")
	case p.old && strings.HasPrefix(text, "40/chat"):
		p.mu.Lock()
		defer p.mu.Unlock()
		p.stays = append(p.stays, stay{At: at, From: time.Now()})
		p.conn, p.tried = conn, nil
	case strings.HasPrefix(text, "0"):
		p.mu.Lock()
		auth := ""
		if p.pid != "" {
			auth = fmt.Sprintf(`{"pid":%q,"offset":%q}`, p.pid, p.offset)
		}
		p.mu.Unlock()
		return writeText(conn, "40/chat,"+auth)
	case text == "2" && !p.old:
		return p.pong(conn)
	case strings.HasPrefix(text, "40/chat,"):
		var hello struct{ SID, PID string }
		if err := json.Unmarshal([]byte(text[len("40/chat,"):]), &hello); err != nil {
			return err
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.stays = append(p.stays, stay{At: at, From: time.Now(),
			Recovered: p.pid != "" && hello.PID == p.pid && hello.SID == p.sid, Asked: p.pid != "", Client: p.here, Tried: p.tried})
		p.tried = nil
		p.pid, p.sid = hello.PID, hello.SID
		p.conn = conn
	case strings.HasPrefix(text, "44/chat,"):
		return errRefused
	case strings.HasPrefix(text, "43/chat,"):
		return p.acknowledge(text[len("43/chat,"):])
	case strings.HasPrefix(text, "42/chat,"):
		p.hear(text[len("42/chat,"):], time.Now())
	}
	return nil
}

// pong answers a heartbeat. Words and pongs must not mix, and writing never waits long: the server reads.
func (p *person) pong(conn net.Conn) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return writeText(conn, "3")
}

func (p *person) hear(event string, now time.Time) {
	var args []json.RawMessage
	var said struct{ Name, Text string }
	if json.Unmarshal([]byte(event), &args) != nil || len(args) < 2 || json.Unmarshal(args[1], &said) != nil {
		return
	}
	seq, err := strconv.Atoi(said.Text)
	if err != nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.heard = append(p.heard, word{From: said.Name, Seq: seq, At: now})
	var offset string
	if p.pid != "" && json.Unmarshal(args[len(args)-1], &offset) == nil {
		p.offset = offset
	}
}

// talkTimeout bounds how long a word may need to leave. A machine that is busy elsewhere stops this process for seconds.
const talkTimeout = 5 * time.Second

// says says the next number, if it is connected.
func (p *person) says() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conn == nil {
		return
	}
	w := word{From: p.name, Seq: len(p.said), At: time.Now(), Stay: len(p.stays)}
	p.said = append(p.said, w)
	_ = p.conn.SetWriteDeadline(w.At.Add(talkTimeout))
	ask := ""
	if p.w.mode.keeps {
		ask = strconv.Itoa(w.Seq)
	}
	if writeText(p.conn, fmt.Sprintf(`42/chat,%s["msgToServer",{"name":%q,"text":"%d"}]`, ask, p.name, w.Seq)) != nil {
		_ = p.conn.Close()
	}
}

// cut ends the connection as a broken line does. The person comes back, to the next place.
func (p *person) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if tcp, ok := p.conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
		_ = tcp.Close()
		p.place++
	}
}

func (p *person) present() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.stays) > 0 && p.stays[len(p.stays)-1].To.IsZero()
}

// speaks tells whether the person is one of ours; npm clients listen.
func (p *person) speaks() bool { return p.stop != nil }

// lastSaid is the last number it said, -1 if none.
func (p *person) lastSaid() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.said) - 1
}

// hasHeard tells whether it has heard this very word lately.
func (p *person) hasHeard(from string, seq int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := len(p.heard) - 1; i >= 0 && i > len(p.heard)-1000; i-- {
		if p.heard[i].From == from && p.heard[i].Seq == seq {
			return true
		}
	}
	return false
}

// home sends everybody to the place where they began, those who are elsewhere.
func (w *world) home() {
	w.t.Helper()
	for i, p := range w.people {
		if !p.speaks() {
			continue
		}
		want := w.instances[i%len(w.instances)]
		eventually(w.t, p.name+" is at home", func() bool {
			p.mu.Lock()
			defer p.mu.Unlock()
			if n := len(p.stays); p.conn != nil && p.stays[n-1].At != want.lives() {
				p.place = want.number
				_ = p.conn.Close()
				return false
			}
			return p.conn != nil
		})
	}
}

// readFrame reads a frame of a server of ours, whose frames are of a decent size.
func readFrame(r io.Reader) (f ws.Frame, err error) {
	if f.Header, err = ws.ReadHeader(r); err != nil {
		return f, err
	}
	if f.Header.Length > 1<<24 {
		return f, fmt.Errorf("a frame of %d bytes", f.Header.Length)
	}
	f.Payload = make([]byte, f.Header.Length)
	_, err = io.ReadFull(r, f.Payload)
	return f, err
}

package simulation

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

	"socketio-chat/pkg/e2e/simulation/line"
	"socketio-chat/pkg/e2e/verdict"
)

// A person is a client in the chat, who says numbers and remembers what it hears. It comes back whenever its connection ends: to the place
// where it was, or the next one that takes it.
type person struct {
	w    *world
	name string
	old  bool // speaks protocol 3 of Engine.IO, as socket.io 2 does

	mu     sync.Mutex // never held while anything waits
	memory verdict.Memory
	conn   net.Conn // nil while it is away
	place  int      // where it tries first
	tried  []int    // servers, since it was connected
	guest  guest

	pid, offset, sid string // what Socket.IO clients recover their state with

	stop context.CancelFunc
	done sync.WaitGroup
}

// comeBack is how long a person waits before it tries to connect again.
const comeBack = 50 * time.Millisecond

// newPerson lets somebody come, to the places by turns. One in three is old.
func newPerson(w *world, number int) *person {
	p := &person{w: w, name: fmt.Sprintf("p%d", number), old: number/firstPlaces == 2, place: number % firstPlaces}
	p.memory.Name, p.guest = p.name, newGuest(p.name, number)
	ctx, stop := context.WithCancel(context.Background())
	p.stop = stop
	p.done.Go(func() { p.live(ctx) })
	return p
}

// leave ends the person's life.
func (p *person) leave() {
	p.stop()
	p.done.Wait()
}

func (p *person) live(ctx context.Context) {
	for ctx.Err() == nil {
		p.mu.Lock()
		in := p.w.places[p.place%len(p.w.places)]
		p.mu.Unlock()
		p.visit(ctx, in.server())
		p.mu.Lock()
		if p.conn != nil {
			p.memory.Stays[len(p.memory.Stays)-1].To = p.w.now()
			p.conn = nil
		} else {
			p.place++ // nobody home: try the next
		}
		p.mu.Unlock()
		select {
		case <-ctx.Done():
		case <-time.After(comeBack):
		}
	}
}

// dialTimeout bounds the time until a person is in the chat.
const dialTimeout = 12 * time.Second

// visit connects and listens until the connection ends.
func (p *person) visit(ctx context.Context, s *server) {
	if s == nil {
		return
	}
	p.mu.Lock()
	p.tried = append(p.tried, s.number)
	p.mu.Unlock()
	protocol := "4"
	if p.old {
		protocol = "3"
	}
	dialer := ws.Dialer{Timeout: dialTimeout, NetDial: func(context.Context, string, string) (net.Conn, error) { return s.call() }}
	conn, early, _, err := dialer.Dial(ctx, "ws://simulated/socket.io/?EIO="+protocol+"&transport=websocket&room="+p.guest.room)
	if err != nil {
		return
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	late := time.AfterFunc(dialTimeout, func() {
		if !p.present() {
			_ = conn.Close()
		}
	})
	defer late.Stop()
	if p.old {
		defer p.ping(conn)()
	}
	read := bufio.NewReader(conn)
	if early != nil {
		read = bufio.NewReader(io.MultiReader(early, conn))
	}
	for {
		f, err := ws.ReadFrame(read)
		if err != nil {
			return
		}
		if f.Header.OpCode == ws.OpClose {
			_ = write(conn, ws.NewCloseFrame(nil))
			return
		}
		if p.packet(conn, s, string(f.Payload)) != nil {
			return
		}
	}
}

// write writes a frame at once: a connection in memory does not join what is written in parts.
func write(conn net.Conn, f ws.Frame) error {
	b, err := ws.CompileFrame(ws.MaskFrameInPlace(f))
	if err == nil {
		_, err = conn.Write(b)
	}
	return err
}

func writeText(conn net.Conn, text string) error { return write(conn, ws.NewTextFrame([]byte(text))) }

// ping is what clients of protocol 3 do: their heartbeat is their own.
func (p *person) ping(conn net.Conn) (stop func()) {
	over := make(chan struct{})
	var done sync.WaitGroup
	done.Go(func() {
		for {
			select {
			case <-over:
				return
			case <-time.After(5 * time.Second):
				_ = writeText(conn, "2")
			}
		}
	})
	return func() { close(over); done.Wait() }
}

var errRefused = errors.New("the namespace was refused")

// packet acts on what the server says.
func (p *person) packet(conn net.Conn, s *server, text string) error {
	switch {
	case strings.HasPrefix(text, "0") && p.old:
		return writeText(conn, "40/chat")
	case strings.HasPrefix(text, "0"):
		p.mu.Lock()
		auth := ""
		if p.pid != "" {
			auth = fmt.Sprintf(`{"pid":%q,"offset":%q}`, p.pid, p.offset)
		}
		p.mu.Unlock()
		return writeText(conn, "40/chat,"+auth)
	case text == "2" && !p.old:
		return writeText(conn, "3")
	case strings.HasPrefix(text, "40/chat"):
		var hello struct{ SID, PID string }
		if body, ok := strings.CutPrefix(text, "40/chat,"); ok && !p.old {
			if err := json.Unmarshal([]byte(body), &hello); err != nil {
				return err
			}
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		asked := p.pid != ""
		p.memory.Stays = append(p.memory.Stays, verdict.Stay{
			At: s.number, From: p.w.now(), Asked: asked, Recovered: asked && hello.PID == p.pid && hello.SID == p.sid,
			Client: conn.LocalAddr().String(), Tried: p.tried,
		})
		p.tried = nil
		p.pid, p.sid = hello.PID, hello.SID
		p.conn = conn
	case strings.HasPrefix(text, "44/chat"), strings.HasPrefix(text, "41/chat"):
		return errRefused
	case strings.HasPrefix(text, "43/chat,"):
		p.acknowledged(text[len("43/chat,"):])
	case strings.HasPrefix(text, "42/chat,"):
		p.hear(text[len("42/chat,"):])
	}
	return nil
}

func (p *person) hear(event string) {
	var args []json.RawMessage
	var said struct{ Name, Text string }
	if json.Unmarshal([]byte(event), &args) != nil || len(args) < 2 || json.Unmarshal(args[1], &said) != nil {
		p.w.problem("%s got %q", p.name, event)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	var offset string
	if p.pid != "" && json.Unmarshal(args[len(args)-1], &offset) == nil {
		p.offset = offset
	}
	if string(args[0]) == `"saidInRoom"` {
		p.hearInRoom(args)
		return
	}
	if seq, err := strconv.Atoi(said.Text); err == nil {
		p.memory.Heard = append(p.memory.Heard, verdict.Word{From: said.Name, Seq: seq, At: p.w.now()})
	}
}

// says says the next number, if it is connected.
func (p *person) says() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conn == nil {
		return
	}
	w := verdict.Word{From: p.name, Seq: len(p.memory.Said), At: p.w.now(), Stay: len(p.memory.Stays)}
	p.memory.Said = append(p.memory.Said, w)
	if writeText(p.conn, fmt.Sprintf(`42/chat,["msgToServer",{"name":%q,"text":"%d"}]`, p.name, w.Seq)) != nil {
		_ = p.conn.Close()
	}
}

// cut ends the connection as a broken line does: both sides lose what is on its way. The person comes back, to the next place.
func (p *person) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conn != nil {
		line.Reset(p.conn)
		p.place++
	}
}

func (p *person) present() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.conn != nil
}

// lastSaid is the last number it said, -1 if none.
func (p *person) lastSaid() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.memory.Said) - 1
}

// heardAll tells whether it has heard these words lately.
func (p *person) heardAll(last map[string]int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	heard := 0
	for i := len(p.memory.Heard) - 1; i >= 0 && i > len(p.memory.Heard)-1000; i-- {
		if h := p.memory.Heard[i]; last[h.From] == h.Seq {
			heard++
		}
	}
	return heard >= len(last)
}

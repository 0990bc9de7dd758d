package socketio

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/zishang520/socket.io/v2/socket"
)

// A shelf is what an instance leaves its sessions on: SessionPeers and SessionStore of it, and of the one that finds them there.
type shelf struct {
	fails     int // so many attempts to store fail
	storing   func()
	dump      *SessionDump
	discarded []socket.PrivateSessionId
	attempts  int
	left      int           // how often it told how far it had published
	a         *LocalAdapter // of the one that takes
	behind    time.Duration // how far the instance is behind the others
}

var errShelf = errors.New("the shelf is broken")

func (s *shelf) Lost() bool { return false }

func (s *shelf) Heard() time.Time { return time.Now().Add(-s.behind) }

func (s *shelf) Store(_ context.Context, d *SessionDump) error {
	if s.attempts++; s.attempts <= s.fails {
		return errShelf
	}
	s.dump = d
	if s.storing != nil {
		s.storing()
	}
	return nil
}

func (s *shelf) Discard(_ context.Context, pids []socket.PrivateSessionId) error {
	s.discarded = pids
	return nil
}

func (s *shelf) Leave(context.Context, time.Duration) error {
	s.left++
	return nil
}

func (s *shelf) Take(pid socket.PrivateSessionId, offset string, _ time.Time) (*HandedSession, uint64, Refusal) {
	if s.dump == nil {
		return nil, 0, RefusedUnknown
	}
	for _, st := range s.dump.Sessions {
		if st.Pid == pid {
			kept, _, _ := s.a.Kept()
			h, why := s.dump.Log.Hand(st.Session, offset, kept, time.Minute)
			return h, 0, why
		}
	}
	return nil, 0, RefusedUnknown
}

// newShelved is a server that leaves its sessions on the shelf.
func newShelved(t *testing.T, s *shelf) (*testServer, *Namespace) {
	t.Helper()
	server := newTestServer(t, recovering(Options{}))
	ns := server.Of("/chat")
	ns.local.SetPeers(s)
	return server, ns
}

// TestBehindIsTold: an instance that may not have heard everything says so of the sessions that it gives away.
func TestBehindIsTold(t *testing.T) {
	s := &shelf{behind: time.Minute}
	old, ns := newShelved(t, s)
	asked, stored := old.newComer(t, "/chat"), old.newComer(t, "/chat")
	ns.Broadcast("before")
	for _, c := range []*comer{asked, stored} {
		c.wantEvents(`["before"]`)
		c.cut()
		c.gone(old)
	}
	h, why := ns.local.TakeSession(socket.PrivateSessionId(asked.pid), asked.offset, nil, 0, "to", time.Now())
	if why != NotRefused || h.Behind < s.behind.Milliseconds() {
		t.Errorf("handed over: %+v, %s", h, why)
	}
	if err := old.HandOver(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.a = ns.local
	h, _, why = s.Take(socket.PrivateSessionId(stored.pid), stored.offset, time.Now())
	if why != NotRefused || h.Behind < s.behind.Milliseconds() {
		t.Errorf("stored: %+v, %s", h, why)
	}
}

// TestHandOver: a client comes to another instance after its own has ended, and gets what it missed, in order, with its rooms and data.
func TestHandOver(t *testing.T) {
	s := &shelf{}
	old, ns := newShelved(t, s)
	c, stays := old.newComer(t, "/chat"), old.newComer(t, "/chat")
	sock := old.socketOf(t, c)
	sock.Join("red")
	sock.SetData(map[string]any{"name": "kim"})
	ns.Broadcast("before")
	c.wantEvents(`["before"]`)
	stays.wantEvents(`["before"]`)
	c.cut()
	c.gone(old)
	ns.Broadcast("bin", []byte("A"))
	_ = ns.To("red").Emit("red")
	_ = ns.To("blue").Emit("blue")
	if err := old.HandOver(t.Context()); err != nil {
		t.Fatal(err)
	}
	if st := old.RecoveryStats(); st.Stored != 1 || st.Sessions != 0 || len(s.dump.Sessions) != 1 {
		t.Errorf("stats %+v, stored %d", st, len(s.dump.Sessions))
	}
	if len(s.discarded) != 0 {
		t.Errorf("%v were taken back", s.discarded)
	}
	stays.hear() // a client that is there is not given away: it goes on
	stays.testClient.want("b:A")

	s.dump = asRead(t, s.dump)
	next := newTestServer(t, recovering(Options{}))
	s.a = next.Of("/chat").local
	s.a.SetPeers(s)
	if !c.connect(t, next) {
		t.Fatalf("not recovered: %+v", next.RecoveryStats())
	}
	if m := c.next(); !strings.HasPrefix(m, `51-/chat,["bin",`+ph0) {
		t.Errorf("got %q, want what it missed first", m)
	}
	c.testClient.want("b:A")
	c.wantEvents(`["red"]`)
	c.wantNothing()
	if again := next.socketOf(t, c); !again.Rooms().Has("red") || fmt.Sprint(again.Data()) != "map[name:kim]" {
		t.Errorf("rooms %v, data %v", again.Rooms().Keys(), again.Data())
	}
	if owners := s.a.ForeignOwners(); len(owners) != 1 || owners[0] != OwnerOf(socket.PrivateSessionId(c.pid)) {
		t.Errorf("owners %v", owners)
	}
}

// socketOf waits for the server's socket of a client.
func (s *testServer) socketOf(t *testing.T, c *comer) (sock *socket.Socket) {
	t.Helper()
	eventually(t, "the socket is there", func() (ok bool) {
		sock, ok = s.Of(c.nsp).Sockets().Load(socket.SocketId(c.sid))
		return ok
	})
	return sock
}

// asRead is what comes out of Redis of a dump that went in.
func asRead(t *testing.T, d *SessionDump) *SessionDump {
	t.Helper()
	b, err := json.Marshal(d.Log)
	if err != nil {
		t.Fatal(err)
	}
	read := &SessionDump{Sessions: d.Sessions, Log: new(StoredLog), TTL: d.TTL}
	if err := json.Unmarshal(b, read.Log); err != nil {
		t.Fatal(err)
	}
	return read
}

// TestHandOverTriesAgain, with longer and longer pauses, until it succeeds or its time is over. What comes meanwhile is in what it stores.
func TestHandOverTriesAgain(t *testing.T) {
	for _, row := range []struct {
		fails    int
		stored   bool
		attempts int
	}{
		{0, true, 1},
		{3, true, 4},
		{1000, false, 6}, // at 0, 50, 150, 350, 750 and 1550 ms of two seconds
	} {
		t.Run(fmt.Sprint(row.fails, " failures"), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &shelf{fails: row.fails}
				b := newBubble(t, recovering(Options{}))
				defer b.end()
				ns := b.Of("/")
				ns.local.SetPeers(s)
				b.join(nil).conn.Close()
				synctest.Wait()
				b.ended.Go(func() {
					time.Sleep(time.Millisecond)
					ns.Broadcast("late")
				})
				ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
				defer cancel()
				err := b.HandOver(ctx)
				var failed *HandOverError
				switch {
				case row.stored && (err != nil || s.dump == nil):
					t.Errorf("not stored: %v", err)
				case !row.stored && (!errors.As(err, &failed) || failed.Sessions != 1 || !errors.Is(err, errShelf) || !strings.Contains(err.Error(), "1 sessions")):
					t.Errorf("the error is %v", err)
				case s.attempts != row.attempts:
					t.Errorf("%d attempts, want %d", s.attempts, row.attempts)
				case row.stored && row.fails > 0 && len(s.dump.Log.Entries) != 1:
					t.Errorf("%d events are stored, want that which came meanwhile", len(s.dump.Log.Entries))
				}
				s.fails = 0 // Close tries once more
			})
		})
	}
}

// TestHandOverTakesBack what has found a new place while it was stored: its client came back.
func TestHandOverTakesBack(t *testing.T) {
	s := &shelf{}
	server, _ := newShelved(t, s)
	back, away := server.newComer(t, "/chat"), server.newComer(t, "/chat")
	for _, c := range []*comer{back, away} {
		c.cut()
		c.gone(server)
	}
	s.storing = func() {
		s.storing = nil
		if !back.connect(t, server) {
			t.Error("not recovered while the sessions are stored")
		}
	}
	if err := server.HandOver(t.Context()); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(s.discarded) != fmt.Sprintf("[%s]", back.pid) {
		t.Errorf("%v were taken back, want %s", s.discarded, back.pid)
	}
	server.Of("/chat").Broadcast("x")
	back.wantEvents(`["x"]`)
	s.dump = nil // somebody else took it
	if away.connect(t, server) {
		t.Error("what was stored is here still")
	}
}

// TestNothingToHandOver: without recovery, without a store, and with nobody away nothing is stored.
func TestNothingToHandOver(t *testing.T) {
	s := &shelf{fails: 1000}
	server, _ := newShelved(t, s)
	server.newComer(t, "/chat")
	plain := newTestServer(t, recovering(Options{}))
	plain.Of("/chat")
	c := plain.newComer(t, "/chat")
	c.cut()
	c.gone(plain)
	for _, one := range []*testServer{server, plain, newTestServer(t, Options{})} {
		if err := one.HandOver(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if s.attempts != 0 {
		t.Errorf("%d attempts", s.attempts)
	}
	s.fails = 0 // the server closes
	if !c.connect(t, plain) {
		t.Error("the session is gone without having been stored")
	}
}

package forward

import (
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"socketio-chat/pkg/engineio"
)

type redisClient = redis.UniversalClient

// Sessions whose owner cannot answer are unknown, whatever it is that keeps it.
func TestOwnersThatCannotAnswer(t *testing.T) {
	newClient := startRedis(t)
	front := join(t, newClient(), Options{}, engineio.Options{})
	eventually(t, "it is registered", func() bool { return front.Stats().Registered })
	silent := listenSilently(t)
	stranger := strangers(t, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nand more, as much as a greeting has") // another program at that address
	closed := listenSilently(t)
	closed.Close()
	other := join(t, newClient(), Options{}, engineio.Options{}) // an instance that has taken over the address of one that is gone
	eventually(t, "it is registered", func() bool { return other.Stats().Registered })

	enter := func(addr string) (sid string) {
		tag := randomText(tagLen)
		r := &registry{redis: newClient(), prefix: DefaultPrefix, tag: tag, secrets: front.secrets}
		if err := r.renew(context.Background(), addr); err != nil {
			t.Fatal(err)
		}
		return tag + randomText(secretLen)
	}
	for _, tt := range []struct {
		name, sid string
		count     func(Stats) uint64
	}{
		{"nobody has this tag", randomText(28), func(s Stats) uint64 { return s.UnknownOwner }},
		{"gone", enter(closed.Addr().String()), func(s Stats) uint64 { return s.Unreachable }},
		{"silent", enter(silent.Addr().String()), func(s Stats) uint64 { return s.Unreachable }},
		{"a stranger", enter(stranger), func(s Stats) uint64 { return s.Denied }},
		{"another instance", enter(other.Stats().Address), func(s Stats) uint64 { return s.Denied }},
		{"an id of Node's", "fTIyEkRLCX5tdSbZAAAB", func(Stats) uint64 { return 1 }},
		{"an id that cannot be", "../../../instance:../../../.", func(Stats) uint64 { return 1 }},
		{"this instance's own", front.NewID(), func(Stats) uint64 { return 1 }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := tt.count(front.Stats())
			wantUnknown(t, do(t, "GET", front.url("EIO=4", tt.sid), ""))
			wantUnknown(t, do(t, "POST", front.url("EIO=4", tt.sid), "4a"))
			res := do(t, "GET", front.http.URL+"/?EIO=4&transport=websocket&sid="+tt.sid, "", "Connection", "Upgrade", "Upgrade", "websocket",
				"Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
			if res.status != 400 || res.body != "Session ID unknown" {
				t.Errorf("upgrade: %+v", res)
			}
			if n := tt.count(front.Stats()); n == before && n != 1 {
				t.Errorf("not counted: %+v", front.Stats())
			}
		})
	}
}

// strangers answers every connection with text.
func strangers(t *testing.T, text string) (addr string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(nc, text)
			nc.Close()
		}
	}()
	return l.Addr().String()
}

// An instance that ends takes itself out of the registry, and what is under way
// with it.
func TestTheEndOfAnOwner(t *testing.T) {
	list := cluster(t, 2, Options{}, engineio.Options{})
	owner, front := list[0], list[1]
	sid, ws := owner.open(t, "EIO=4"), owner.open(t, "EIO=4")
	owner.accept(t)
	owner.accept(t)
	if res := do(t, "POST", front.url("EIO=4", sid), "4a"); res.body != "ok" {
		t.Fatalf("%+v", res)
	}
	c := upgrade(t, front, ws)
	owner.end(t)
	c.wantEnd(t)
	wantUnknown(t, do(t, "POST", front.url("EIO=4", sid), "4a"))
	wantUnknown(t, do(t, "GET", front.url("EIO=4", sid), ""))
	addrs, err := front.registry.read(context.Background())
	if err != nil || len(addrs) != 1 {
		t.Errorf("registered: %v, %v", addrs, err)
	}
}

// When an instance ends that others' sessions pass through, those that poll go on,
// and the WebSockets are told to go.
func TestTheEndOfAFront(t *testing.T) {
	list := cluster(t, 2, Options{}, engineio.Options{})
	owner, front := list[0], list[1]
	sid, ws := owner.open(t, "EIO=4"), owner.open(t, "EIO=4")
	polling, upgraded := owner.accept(t), owner.accept(t)
	c := upgrade(t, front, ws)
	eventually(t, "the upgrade is done", func() bool { return upgraded.Transport() == engineio.WebSocket })
	done := make(chan response, 1)
	go func() {
		res, _ := try(context.Background(), "GET", front.url("EIO=4", sid), nil)
		done <- res
	}()
	eventually(t, "the owner has the poll", func() bool { return polling.Writable() })
	upgraded.Send(engineio.NewTextFrame([]byte("last words")))
	go func() {
		if err := front.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	if res := <-done; res.body != "6" {
		t.Errorf("poll: %+v", res)
	}
	c.want(t, "4last words")
	c.wantCut(t)
	upgraded.wantClosed(t, "server shutting down")
	do(t, "POST", owner.url("EIO=4", sid), "4still there")
	if res := do(t, "GET", owner.url("EIO=4", sid), ""); res.body != "4echo still there" {
		t.Errorf("the session of the poll: %+v", res)
	}
	front.end(t)
	if s := front.Stats(); s.Tunnels != 0 || s.Upgrades != 1 || s.Broken != 0 {
		t.Errorf("%+v", s)
	}
	wantUnknown(t, do(t, "GET", list[0].url("EIO=4", ws), ""))
}

// Those whom nobody can send away in good order are cut off.
func TestTheEndOfAFrontWhoseOwnerIsDeaf(t *testing.T) {
	newClient := startRedis(t)
	held := make(chan struct{})
	owner := stub(t, newClient(), func(_ http.ResponseWriter, r *http.Request) {
		held <- struct{}{}
		<-r.Context().Done()
		held <- struct{}{}
	})
	front := join(t, newClient(), Options{}, engineio.Options{})
	done := make(chan response, 1)
	go func() {
		res, _ := try(context.Background(), "GET", front.url("EIO=4", owner.NewID()), nil)
		done <- res
	}()
	<-held
	go func() {
		if err := front.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	<-held
	wantUnknown(t, <-done)
}

// Draining tells everybody, batch after batch.
func TestDrain(t *testing.T) {
	list := cluster(t, 2, Options{}, engineio.Options{})
	owner, front := list[0], list[1]
	var clients []wsClient
	for range 2*drainBatch + 1 {
		clients = append(clients, upgrade(t, front, owner.open(t, "EIO=4")))
		v := owner.accept(t)
		eventually(t, "the upgrade is done", func() bool { return v.Transport() == engineio.WebSocket })
	}
	if err := front.Drain(context.Background(), 2*drainPause); err != nil {
		t.Error(err)
	}
	for _, c := range clients {
		c.wantCut(t)
	}
	eventually(t, "no tunnel is left", func() bool { return front.Stats().Tunnels == 0 })
	if err := front.Drain(context.Background(), time.Hour); err != nil {
		t.Errorf("with nobody left: %v", err)
	}
}

// Clients cannot give such orders.
func TestCommandsOfClients(t *testing.T) {
	list := cluster(t, 2, Options{}, engineio.Options{})
	sid := list[0].open(t, "EIO=4")
	v := list[0].accept(t)
	do(t, "POST", list[1].url("EIO=4", sid), "4x", headerCommand, commandLeave)
	if !v.Open() {
		t.Error("the session has left")
	}
	if res := do(t, "GET", list[1].url("EIO=4", sid), "", headerCommand, commandLeave); res.body != "4echo x" {
		t.Errorf("%+v", res)
	}
}

// A request is forwarded once at most, also if two instances believe of each
// other that it has the session.
func TestNoLoops(t *testing.T) {
	list := cluster(t, 3, Options{}, engineio.Options{})
	a, b, c := list[0], list[1], list[2]
	// a asks b for a session of c.
	p := newPeer(b.tag, b.Stats().Address, time.Now())
	l, err := p.get(context.Background(), a.secrets, a.tag)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := io.WriteString(l, "GET /?EIO=4&transport=polling&sid="+c.open(t, "EIO=4")+" HTTP/1.0\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(l)
	if err != nil || len(text) < len(unknownSID) || string(text[len(text)-len(unknownSID):]) != unknownSID {
		t.Errorf("got %q, %v", text, err)
	}
	if s := b.Stats(); s.Served != 1 || s.Polls != 0 {
		t.Errorf("%+v", s)
	}
}

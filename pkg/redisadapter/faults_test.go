package redisadapter

import (
	"context"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/zishang520/engine.io/v2/events"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/socketio"
)

// A question to the other instances that waited through an outage is answered by the publisher, not by
// the goroutine that pushes the next message, which may hold a lock.
func TestBroadcastWithAckAfterAnOutageDoesNotLockItsNamespace(t *testing.T) {
	r := startRedis(t)
	short := func(b *Builder) { b.HoldFor = 500 * time.Millisecond }
	alpha, beta := newInstance(t, r, "alpha", short), newInstance(t, r, "beta")
	alpha.joined()
	beta.joined()
	eventually(t, "alpha sees both", func() bool { return alpha.builder.Status().Servers == 2 })

	r.signal(syscall.SIGSTOP)
	fetched := make(chan error, 1)
	alpha.chat.FetchSockets()(func(_ []*socket.RemoteSocket, err error) { fetched <- err })
	alpha.lost()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = beta.builder.Close(ctx) // beta does not come back: what alpha has queued is held for longer than HoldFor
	r.signal(syscall.SIGCONT)
	alpha.joined()

	for range 3 {
		done := make(chan struct{})
		go func() {
			defer close(done)
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			_, _ = socketio.CallAll[any](ctx, alpha.chat.Everybody(), "ask")
		}()
		select {
		case <-done:
		case <-time.After(testPatience):
			t.Fatal("CallAll does not return")
		}
	}
	if err := <-fetched; err == nil {
		t.Error("FetchSockets knew of no outage")
	}
}

// A recovered socket is in its rooms for those who follow rooms, too.
func TestRecoveredSocketsAreInTheirRoomsForFollowers(t *testing.T) {
	r := startRedis(t)
	alpha := newRecoveringCluster(t, r, Sharded, "alpha")[0]
	subscribed := func(n int) func() bool {
		return func() bool { return len(r.do("PUBSUB", "SHARDCHANNELS", "socket.io#/chat#blue#").([]any)) == n }
	}
	c := alpha.newComer("c")
	alpha.socket(c.client).Join("blue")
	eventually(t, "alpha listens to blue", subscribed(1))
	for range 2 {
		alpha.chat.Broadcast("first")
		c.wantEvents(`["first"]`)
		c.conn.Close()
		eventually(t, "alpha does not listen any more", subscribed(0))
		if !c.comeTo(alpha, "c") {
			t.Fatal("not recovered")
		}
		eventually(t, "alpha listens again", subscribed(1))
		r.do("SPUBLISH", "socket.io#/chat#blue#", `{"type":3,"data":{"packet":{"type":2,"data":["from Node"]},"opts":{"rooms":["blue"]}},"uid":"x","nsp":"/chat"}`)
		c.wantEvents(`["from Node"]`)
	}
	alpha.socket(c.client).Leave("blue")
	eventually(t, "alpha does not listen any more", subscribed(0))
	d := alpha.newComer("d")
	alpha.socket(d.client).Join("blue")
	eventually(t, "a new member counts", subscribed(1))
}

// As in Node, whose sockets join their rooms anew when they are recovered.
func TestRecoveredSocketsAreToldToListenersOfRooms(t *testing.T) {
	r := startRedis(t)
	alpha := newRecoveringCluster(t, r, PubSub, "alpha")[0]
	told := make(chan string, 100)
	for _, event := range []string{"create-room", "join-room", "leave-room", "delete-room"} {
		_ = alpha.adapter().On(events.EventName(event), func(args ...any) { told <- event + " " + fmt.Sprint(args[0]) })
	}
	c := alpha.newComer("c")
	alpha.socket(c.client).Join("blue")
	alpha.chat.Broadcast("first")
	c.wantEvents(`["first"]`)
	c.conn.Close()
	if !c.comeTo(alpha, "c") {
		t.Fatal("not recovered")
	}
	alpha.socket(c.client).Leave("blue")
	var blue []string
	for len(blue) < 8 {
		select {
		case event := <-told:
			if strings.HasSuffix(event, " blue") {
				blue = append(blue, strings.Fields(event)[0])
			}
		case <-time.After(testPatience):
			t.Fatalf("told only %v", blue)
		}
	}
	want := strings.Repeat("create-room join-room leave-room delete-room ", 2)
	if got := strings.Join(blue, " ") + " "; got != want {
		t.Errorf("told %s", got)
	}
}

// Redis looks through all channels of all its users for PUBSUB CHANNELS. It is asked to only while there
// are instances that are not ours, and then once a heartbeat at most.
func TestBinaryBroadcastsToRoomsDoNotMakeRedisLookThroughAllChannels(t *testing.T) {
	r := startRedis(t)
	slow := func(b *Builder) { b.Heartbeat = time.Minute }
	alpha, beta := newInstance(t, r, "alpha", slow), newInstance(t, r, "beta")
	alpha.joined()
	beta.joined()
	bob := beta.connect("bob")
	beta.socket(bob).Join("blue")
	scans := func() int {
		var calls int
		for line := range strings.Lines(r.do("INFO", "commandstats").(string)) {
			if rest, ok := strings.CutPrefix(line, "cmdstat_pubsub|channels:calls="); ok {
				_, _ = fmt.Sscanf(rest, "%d", &calls)
			}
		}
		return calls
	}
	send := func() {
		for range 20 {
			_ = alpha.chat.To("blue").Emit("bin", []byte("x"))
			if got := bob.read(); !strings.Contains(got, `"bin"`) {
				t.Fatalf("got %s", got)
			}
			if got := bob.read(); got != "b:x" {
				t.Fatalf("got %s", got)
			}
		}
	}
	send()
	if n := scans(); n != 0 {
		t.Errorf("%d looks through all channels in a cluster of ours", n)
	}
	node := r.client()
	defer node.Close()
	sub := node.Subscribe(context.Background(), "socket.io-request#/chat#")
	defer sub.Close()
	eventually(t, "a node of generation 2 is there", func() bool { return r.subscribers("socket.io-request#/chat#") == 3 })
	send()
	if n := scans(); n != 1 {
		t.Errorf("%d looks through all channels in a mixed cluster, want 1", n)
	}
}

// Redis counts the connections of a host that is dead for minutes. It is waited for once, and then no
// more: neither by FetchSockets nor by those who look for a session that another instance has left in Redis.
func TestDeadHostThatRedisStillCountsHoldsNothingUp(t *testing.T) {
	r := startRedis(t)
	list := newRecoveringCluster(t, r, PubSub, "alpha", "beta", "gamma")
	alpha, beta := list[0], list[1]
	c := alpha.newComer("c")
	alpha.chat.Broadcast("first")
	c.wantEvents(`["first"]`)
	dead := r.client()
	defer dead.Close()
	s := dead.Subscribe(context.Background(), "socket.io-request#/chat#", "socket.io-response#/chat#", "socket.io-response#/chat#dead#", "socket.io-peers#/chat#")
	defer s.Close()
	eventually(t, "Redis counts it", func() bool { return r.subscribers("socket.io-peers#/chat#") == 4 })

	fetch := func() (n int, err error) {
		done := make(chan struct{})
		beta.chat.FetchSockets()(func(l []*socket.RemoteSocket, e error) { n, err = len(l), e; close(done) })
		<-done
		return n, err
	}
	if n, err := fetch(); err == nil || n != 1 {
		t.Errorf("the first call: %d sockets, %v; nobody can know yet", n, err)
	}
	for range 20 { // with waiting, this would take 100 s
		if n, err := fetch(); err != nil || n != 1 {
			t.Fatalf("%d sockets, %v", n, err)
		}
	}
	alpha.end() // in order: leaves the session in Redis
	eventually(t, "alpha is gone", func() bool { return r.subscribers("socket.io-peers#/chat#") == 3 })
	_, _ = fetch() // fewer are counted: which one has gone?
	if !c.comeTo(beta, "c") {
		t.Errorf("not recovered: %v", beta.RecoveryStats().Refused)
	}
	_ = s.Close() // Redis has noticed
	eventually(t, "gamma alone is waited for", func() bool { n, err := fetch(); return err == nil && n == 1 })
}

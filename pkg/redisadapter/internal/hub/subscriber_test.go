package hub

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	rtypes "github.com/zishang520/socket.io-go-redis/types"

	"socketio-chat/pkg/redisadapter/internal/wire"
)

// newTestHub makes a hub that is never run.
func newTestHub(mode Mode) *Hub {
	return New(&rtypes.RedisClient{}, Config{
		Key: "k", QueueBytes: 1000, HoldFor: time.Minute, MaxMessage: 1000, Heartbeat: time.Second, Silence: time.Second,
		StreamLength: 10, StreamBytes: 1000, Log: slog.New(slog.DiscardHandler),
	}, mode, "/")
}

func newTestSubscriber(h *Hub) *subscriber {
	return &subscriber{h: h, patterns: map[string]bool{}, channels: map[string]bool{}, late: map[string]int{}, awaited: map[string]bool{}}
}

// Redis confirms subscriptions one by one, in the order of the commands. What comes out of turn shows that the connection is not the one we
// think it is, or that a slot has moved.
func TestConfirm(t *testing.T) {
	for _, tc := range []struct {
		name  string
		steps string // +name is wanted, ~name only followed, -name no longer; !name will be, of a new namespace; kind:name is what Redis says
		err   error  // of the last step
		whole bool   // the connection is complete at the end
	}{
		{"all are confirmed", "+a +p* subscribe:a psubscribe:p*", nil, true},
		{"one is missing", "+a +b subscribe:a", nil, false},
		{"the pattern is missing", "+a +p* subscribe:a", nil, false},
		{"sharded", "+a ssubscribe:a", nil, true},
		{"a room that is followed is not waited for", "+a ~r subscribe:a", nil, true},
		{"a namespace that was made meanwhile is", "+a !b subscribe:a", nil, false},
		{"one more, later", "+a subscribe:a +b subscribe:b", nil, true},
		{"nobody asked for it", "+a subscribe:b", errResubscribe, false},
		{"a pattern as a channel", "+p* subscribe:p*", errResubscribe, false},
		{"twice", "+a subscribe:a subscribe:a", errResubscribe, true},
		{"given up before it is confirmed", "+a +b -b subscribe:a subscribe:b", nil, true},
		{"given up and wanted again", "+a -a +a subscribe:a subscribe:a", nil, true},
		{"given up and wanted again, one confirmation", "+a -a +a subscribe:a", nil, false},
		{"given up twice", "+a -a +a -a +b subscribe:a subscribe:a subscribe:b", nil, true},
		{"given up after it is confirmed", "+a +b subscribe:a -a unsubscribe:a subscribe:b", nil, true},
		{"the slot moves", "+a ssubscribe:a sunsubscribe:a", errSlotMoved, true},
		{"it was given up and the server says so", "+a ssubscribe:a -a sunsubscribe:a", nil, true},
		{"a farewell to what is not confirmed", "+a sunsubscribe:a", nil, false},
		{"an answer that is new to us", "+a monitor:a", nil, false},
	} {
		h := newTestHub(PubSub)
		s := newTestSubscriber(h)
		var err error
		steps := strings.Fields(tc.steps)
		for i, step := range steps {
			name := step[1:]
			list := s.channels
			if strings.HasSuffix(name, "*") {
				list = s.patterns
			}
			switch step[0] {
			case '+':
				added, _ := s.differenceLocked(list, map[string]bool{name: true})
				s.awaitLocked(nil, added)
			case '~':
				s.differenceLocked(list, map[string]bool{name: true})
			case '!':
				h.routes.add(wire.Subscription{Channels: []string{name}}, nil)
			case '-':
				s.differenceLocked(list, map[string]bool{name: false})
			default:
				kind, channel, _ := strings.Cut(step, ":")
				err = s.confirm(&redis.Subscription{Kind: kind, Channel: channel})
			}
			if err != nil && i < len(steps)-1 {
				t.Errorf("%s: %s: %v", tc.name, step, err)
			}
		}
		if !errors.Is(err, tc.err) || (s.complete.Load() != 0) != tc.whole || h.sub != s.complete.Load() {
			t.Errorf("%s: %v, complete %d of %d", tc.name, err, s.complete.Load(), h.sub)
		}
	}
}

// What is to be subscribed to and what is not any more follows from what there is.
func TestDifference(t *testing.T) {
	for _, tc := range []struct {
		have, want     map[string]bool
		added, removed []string
		left           string
	}{
		{nil, map[string]bool{"b": true, "a": true}, []string{"a", "b"}, nil, "a b"},
		{map[string]bool{"a": true}, map[string]bool{"a": true}, nil, nil, "a"},
		{map[string]bool{"a": true, "b": false}, map[string]bool{"a": false}, nil, []string{"a"}, "b"},
		{map[string]bool{"b": false}, map[string]bool{"b": false, "c": false}, nil, []string{"b"}, ""},
		{map[string]bool{"a": true}, nil, nil, nil, "a"},
	} {
		s := newTestSubscriber(newTestHub(PubSub))
		have := maps.Clone(tc.have)
		if have == nil {
			have = map[string]bool{}
		}
		added, removed := s.differenceLocked(have, tc.want)
		if !slices.Equal(added, tc.added) || !slices.Equal(removed, tc.removed) || strings.Join(slices.Sorted(maps.Keys(have)), " ") != tc.left {
			t.Errorf("have %v, want %v: added %q, removed %q, left %v", tc.have, tc.want, added, removed, have)
		}
	}
}

// A heartbeat proves the connections that it went by, and no others.
func TestHeartbeats(t *testing.T) {
	for _, tc := range []struct {
		name    string
		payload string // of connections: P and S are those there are
		over    string
		joined  bool
	}{
		{"by both", "P S 7", "S", true},
		{"by an earlier publisher", "9 S 7", "S", false},
		{"for an earlier subscriber", "P 9 7", "S", false},
		{"over a connection that is not complete", "P S 7", "0", false},
		{"of nobody", "0 0 7", "0", false},
		{"garbage", "hello", "S", false},
		{"half of it", "P S", "S", false},
		{"nothing", "", "S", false},
	} {
		h := newTestHub(PubSub)
		missed := &missedCounter{}
		h.Subscribe(wire.Subscription{Nsp: "/", Channels: []string{"c"}}, missed)
		pub, sub := h.connected(&h.pub), h.connected(&h.sub)
		numbers := strings.NewReplacer("P", fmt.Sprint(pub), "S", fmt.Sprint(sub))
		var over uint64
		_, _ = fmt.Sscan(numbers.Replace(tc.over), &over)
		if _, ok := h.nextBeat(); !ok {
			t.Errorf("%s: there is no way for a heartbeat", tc.name)
		}
		h.beatReceived(numbers.Replace(tc.payload), over)
		if h.IsJoined() != tc.joined || (missed.n == 1) != tc.joined {
			t.Errorf("%s: joined %v, told %d times that something may be missing", tc.name, h.IsJoined(), missed.n)
		}
		h.beatReceived(numbers.Replace(tc.payload), over)
		if missed.n > 1 {
			t.Errorf("%s: told twice", tc.name)
		}
		h.disconnected(&h.sub, errRedial)
		if _, ok := h.nextBeat(); ok || h.IsJoined() || h.GapCount() != 1 {
			t.Errorf("%s: without a connection: joined %v, %d gaps", tc.name, h.IsJoined(), h.GapCount())
		}
	}
}

// missedCounter is a receiver.
type missedCounter struct{ n int }

func (m *missedCounter) Receive(string, []byte)   {}
func (m *missedCounter) ReceiveEntry(*wire.Entry) {}
func (m *missedCounter) Missed()                  { m.n++ }

// In mode Streams the reader must be there, too, and finds gaps itself.
func TestHeartbeatsOfStreams(t *testing.T) {
	h := newTestHub(Streams)
	pub, sub := h.connected(&h.pub), h.connected(&h.sub)
	beat := fmt.Sprintf("%d %d 7", pub, sub)
	if _, ok := h.nextBeat(); ok {
		t.Error("nobody reads the stream, and a heartbeat is sent")
	}
	if h.beatReceived(beat, sub); h.IsJoined() {
		t.Error("joined without a reader")
	}
	h.connected(&h.reader)
	if h.beatReceived(beat, sub); !h.IsJoined() {
		t.Error("not joined")
	}
	h.disconnected(&h.sub, errRedial)
	if h.GapCount() != 0 {
		t.Error("a break that loses nothing is counted as a gap")
	}
}

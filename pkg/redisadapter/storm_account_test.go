package redisadapter_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/zishang520/engine.io/v2/types"
	"github.com/zishang520/socket.io-go-parser/v2/parser"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/redisadapter/internal/cluster"
	"socketio-chat/pkg/redisadapter/internal/wire"
	"socketio-chat/pkg/socketio"
)

// An account keeps the books of what is told in a storm: each instance tells numbers, to everybody and to one room. Whatever fails, an
// instance hears the numbers of another in order and none twice, and where some are missing one of the two has counted that. The people of
// an instance hear what it hears, and all that it tells itself.
type account struct {
	mu    sync.Mutex
	lines map[lineOfTalk]*talk
}

// lineOfTalk is what one instance tells, in a room ("": to everybody).
type lineOfTalk struct {
	from string
	room socket.Room
}

// talk is what was told; numbers begin with 1.
type talk struct {
	from  *node
	told  []counted           // as it was just before each number
	heard map[*node][]arrival // by those who listen
}

// counted is what instances had counted at a time.
type counted struct {
	lost uint64 // messages, by the one that tells
	gaps map[*node]uint64
	away map[*node]bool // those that are in a gap: it was counted, and lasts until they have joined again
}

// arrival is a number that came, and what had been counted by then.
type arrival struct {
	n          int
	lost, gaps uint64
}

// alwaysRoom is a room that the same people are in all the time, on each of the first instances.
const alwaysRoom socket.Room = "always"

// lostBy is what an instance has lost that it was to tell. A Node server is asked only when Redis answers, and loses nothing.
func lostBy(n *node) uint64 {
	if n.builder == nil {
		return 0
	}
	s := n.builder.Status()
	return s.Dropped + s.Unknown
}

// tell lets an instance tell the next number.
func (s *storm) tell(n *node, room socket.Room) {
	number := s.note(n, room)
	opts := &socket.BroadcastOptions{Rooms: types.NewSet[socket.Room]()}
	if room != "" {
		opts.Rooms.Add(room)
	}
	n.adapter().Broadcast(&parser.Packet{Type: parser.EVENT, Data: []any{"told", n.name, string(room), number}}, opts)
}

// tellAsNode lets the Node server tell the next number to alwaysRoom, if there is one and Redis answers: on the channel of that room alone.
func (s *storm) tellAsNode() {
	if s.node4 == nil || s.down.Load() > 0 {
		return
	}
	number := s.note(s.node4, alwaysRoom)
	event := fmt.Sprintf(`["told",%q,%q,%d]`, s.node4.name, alwaysRoom, number)
	opts := &socket.BroadcastOptions{Rooms: types.NewSet(alwaysRoom), Except: types.NewSet[socket.Room](), Flags: &socket.BroadcastFlags{}}
	message := cluster.Broadcast(s.node4.name, "/chat", socketio.Payload{JSON: []byte(event)}, opts, "")
	b, _, err := cluster.Encode(wire.NewCodec(1<<20, 255), message, false)
	if err != nil {
		s.tb.Fatal(err)
	}
	channel := cluster.ChannelsOf("socket.io", "/chat").Specific(string(alwaysRoom))
	if err := s.node4.client.SPublish(context.Background(), channel, b).Err(); err != nil {
		s.tb.Errorf("the Node server cannot publish: %v", err)
	}
}

// note writes into the books that an instance is about to tell the next number, and returns that.
func (s *storm) note(n *node, room socket.Room) (number int) {
	now := counted{lostBy(n), map[*node]uint64{}, map[*node]bool{}}
	for _, other := range s.nodes {
		status := other.builder.Status()
		now.gaps[other], now.away[other] = status.Gaps, !status.Joined
	}
	s.books.mu.Lock()
	defer s.books.mu.Unlock()
	line := lineOfTalk{n.name, room}
	t := s.books.lines[line]
	if t == nil {
		t = &talk{from: n, heard: map[*node][]arrival{}}
		s.books.lines[line] = t
	}
	t.told = append(t.told, now)
	return len(t.told)
}

// readTold reads what tell has sent.
func readTold(event []byte) (line lineOfTalk, n int, ok bool) {
	var args []json.RawMessage
	if !strings.HasPrefix(string(event), `["told"`) || json.Unmarshal(event, &args) != nil || len(args) != 4 {
		return line, 0, false
	}
	ok = json.Unmarshal(args[1], &line.from) == nil && json.Unmarshal(args[2], &line.room) == nil && json.Unmarshal(args[3], &n) == nil
	return line, n, ok
}

// listen notes what an instance hears, when it does.
func (a *account) listen(n *node) {
	n.chat.OnReceive(func(r socketio.Received) {
		line, number, ok := readTold(r.Data.JSON)
		if !ok {
			return
		}
		a.mu.Lock()
		defer a.mu.Unlock()
		t := a.lines[line]
		t.heard[n] = append(t.heard[n], arrival{number, lostBy(t.from), n.builder.Status().Gaps})
	})
}

// quiet lets everybody tell something while all is well: all of it arrives, and nobody counts a loss.
func (s *storm) quiet() {
	s.together()
	before := map[*node]uint64{}
	for _, n := range s.nodes {
		before[n] = lostBy(n) + n.builder.Status().Gaps
	}
	for range 3 {
		for _, n := range s.nodes {
			s.tell(n, "")
			s.tell(n, alwaysRoom)
		}
		s.tellAsNode()
	}
	time.Sleep(time.Second)
	for _, n := range s.nodes {
		if now := lostBy(n) + n.builder.Status().Gaps; now != before[n] {
			s.tb.Errorf("%s counts %d losses while all is well", n.name, now-before[n])
		}
	}
	s.audit()
}

// audit goes through the books when everything that will arrive has arrived, and all that is told now would.
func (s *storm) audit() {
	s.books.mu.Lock()
	defer s.books.mu.Unlock()
	for line, t := range s.books.lines {
		lives := t.from == s.node4 || slices.Contains(s.nodes, t.from)
		for i, n := range s.nodes {
			if n == t.from || line.room != "" && !s.hasPeople(n) {
				continue
			}
			t.compare(s, line, n, lives, i < stormNodes)
		}
	}
	for p := range s.heard {
		s.heard[p] = append(s.heard[p], p.news()...)
		s.compare(p)
	}
}

func (s *storm) hasPeople(n *node) bool {
	return slices.ContainsFunc(s.people, func(p *person) bool { return p.node == n })
}

// compare looks for what an instance has not heard. lives tells that the one that tells is still there, always that the other one was there
// before it.
func (t *talk) compare(s *storm, line lineOfTalk, n *node, lives, always bool) {
	before, last := counted{}, 0
	for _, a := range t.heard[n] {
		missing := a.n - last - 1
		switch {
		case a.n <= last:
			s.tb.Errorf("%s has heard %d of %v after %d", n.name, a.n, line, last)
		case missing == 0, last == 0 && !always, !lives, a.gaps > before.gaps[n], before.away[n]:
		case a.lost-before.lost < uint64(missing): //nolint:gosec // positive
			s.tb.Errorf("%s has not heard %d to %d of %v, and %d losses are counted", n.name, last+1, a.n-1, line, a.lost-before.lost)
		}
		before, last = t.told[a.n-1], a.n
	}
	if lives && last != len(t.told) {
		s.tb.Errorf("%s has heard up to %d of %v, of %d", n.name, last, line, len(t.told))
	}
}

// compare compares what a person has heard with what its instance has.
func (s *storm) compare(p *person) {
	got := map[lineOfTalk][]int{}
	for _, event := range s.heard[p] {
		if line, n, ok := readTold([]byte(event)); ok {
			got[line] = append(got[line], n)
		}
	}
	for line, t := range s.books.lines {
		var want []int
		switch {
		case line.room != "" && !p.socket().Rooms().Has(line.room):
		case t.from == p.node:
			for i := range t.told {
				want = append(want, i+1)
			}
		default:
			for _, a := range t.heard[p.node] {
				want = append(want, a.n)
			}
		}
		if !slices.Equal(got[line], want) {
			s.tb.Errorf("%s has heard %v of %v, and should have heard %v", p.name, got[line], line, want)
		}
	}
}

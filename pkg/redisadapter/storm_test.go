package redisadapter_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/zishang520/engine.io/v2/types"
	"github.com/zishang520/socket.io-go-parser/v2/parser"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/e2e/simulation/line"
	"socketio-chat/pkg/redisadapter"
)

// A storm asks a cluster for everything at once while Redis and the lines to it fail and instances come and go. What is asked is answered,
// once and in time, by whatever is true then; and when all is well again, everybody knows the truth, and nothing is left of the storm.
type storm struct {
	*bubble
	random *rand.Rand
	people []*person
	node4  *node        // in mode Sharded a Node server, which tells a room something without clients or subscriptions of its own
	down   atomic.Int32 // faults under way that keep Redis from answering
	books  account
	heard  map[*person][]string // so far

	mu    sync.Mutex
	asked []*asked
}

// asked is a question.
type asked struct {
	what    string
	at      time.Time
	answers int
	took    time.Duration
}

const (
	stormNodes  = 3 // at the start; people are on these
	stormRounds = 3
	stormLasts  = 7 * time.Second // a round
	// answerWithin is how long an answer may take: the requests timeout, and what a call of all instances may take on top.
	answerWithin = 5*time.Second + 100*time.Millisecond
)

func TestStorm(t *testing.T) {
	for _, row := range []struct {
		name   string
		mode   redisadapter.Mode
		spread bool
	}{
		{"pubsub", redisadapter.PubSub, false},
		{"sharded", redisadapter.Sharded, false},
		{"sharded in a Redis Cluster", redisadapter.Sharded, true}, // where rooms have connections of their own
		{"streams", redisadapter.Streams, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			for seed := *modelSeed; seed < *modelSeed+uint64(*modelSeeds); seed++ {
				synctest.Test(t, func(t *testing.T) {
					t.Cleanup(func() {
						if t.Failed() {
							t.Logf("-model.seed %d -model.seeds 1", seed)
						}
					})
					s := newStorm(t, row.mode, row.spread, seed)
					s.quiet()
					for range stormRounds {
						s.breakOneByOne()
						s.quiet()
						s.faulty = true
						s.rage()
						s.faulty = false
						s.quiet()
					}
					s.calm()
					s.finish()
				})
			}
		})
	}
}

func newStorm(t *testing.T, mode redisadapter.Mode, spread bool, seed uint64) *storm {
	s := &storm{random: rand.New(rand.NewPCG(seed, 6)), books: account{lines: map[lineOfTalk]*talk{}}, heard: map[*person][]string{}}
	s.bubble = newBubble(t, mode, 0)
	s.spread = spread
	if mode == redisadapter.Sharded {
		s.node4 = &node{b: s.bubble, name: "node4", back: line.New(0)}
		s.node4.client = s.node4.direct()
	}
	s.begun = s.books.listen
	for range stormNodes {
		s.start()
	}
	for i := range 2 * stormNodes {
		p := s.connect(s.nodes[i%stormNodes], fmt.Sprint("person-", i))
		if i < stormNodes {
			p.socket().Join(alwaysRoom)
		}
		s.people, s.heard[p] = append(s.people, p), nil
	}
	return s
}

// finish ends everybody in order.
func (s *storm) finish() {
	for _, p := range s.people {
		p.leave()
	}
	if s.node4 != nil {
		_ = s.node4.client.Close()
	}
	s.close()
}

// rage lets things happen, all over in the end.
func (s *storm) rage() {
	faults := []func(){s.redisRestarts, s.redisStops, s.clientsKilled, s.connectionBreaks, s.lineCut, s.lineJammed, s.lineSlow, s.instanceGoes, s.instanceComes}
	next := time.Now()
	for end := time.Now().Add(stormLasts); time.Now().Before(end); {
		s.question()
		s.tell(s.node(), []socket.Room{"", alwaysRoom}[s.random.IntN(2)])
		s.tellAsNode()
		if time.Now().After(next) {
			faults[s.random.IntN(len(faults))]()
			next = time.Now().Add(time.Duration(s.random.IntN(3000)) * time.Millisecond)
		}
		time.Sleep(time.Duration(s.random.IntN(60)) * time.Millisecond)
	}
	time.Sleep(12 * time.Second) // faults last ten seconds at most
}

// ask notes a question; the function it returns is called with the answer.
func (s *storm) ask(what string) (answered func()) {
	a := &asked{what: what, at: time.Now()}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, a)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		a.answers++
		a.took = time.Since(a.at)
	}
}

var roomsOfStorm = []socket.Room{"a", "b", "c d"}

// question asks for something.
func (s *storm) question() {
	n, p := s.node(), s.people[s.random.IntN(len(s.people))]
	room := roomsOfStorm[s.random.IntN(len(roomsOfStorm))]
	opts := &socket.BroadcastOptions{Rooms: types.NewSet[socket.Room](), Except: types.NewSet[socket.Room](), Flags: &socket.BroadcastFlags{}}
	if s.random.IntN(2) == 0 {
		opts.Rooms.Add(roomsOfStorm[s.random.IntN(len(roomsOfStorm))])
	}
	switch s.random.IntN(9) {
	case 0, 1:
		answered := s.ask("fetchSockets")
		n.adapter().FetchSockets(opts)(func([]socket.SocketDetails, error) { answered() })
	case 2:
		answered := s.ask("allRooms")
		n.adapter().AllRooms()(func(*types.Set[socket.Room], error) { answered() })
	case 3:
		answered := s.ask("serverSideEmit")
		if err := n.adapter().ServerSideEmit([]any{"hello", socket.Ack(func([]any, error) { answered() })}); err != nil {
			s.tb.Errorf("serverSideEmit: %v", err)
		}
	case 4:
		timeout := time.Second
		opts.Flags.Timeout = &timeout
		n.adapter().BroadcastWithAck(&parser.Packet{Type: parser.EVENT, Data: []any{"asked"}}, opts, func(uint64) {}, func([]any, error) {})
	case 5:
		n.adapter().AddSockets(opts, []socket.Room{room})
	case 6:
		n.adapter().DelSockets(opts, []socket.Room{room})
	case 7:
		p.socket().Join(room)
	case 8:
		p.socket().Leave(room)
	}
}

// calm waits until all is well, and compares what everybody knows with the truth.
func (s *storm) calm() {
	s.together()
	time.Sleep(10 * time.Second)
	s.mu.Lock()
	for _, a := range s.asked {
		if a.answers != 1 || a.took > answerWithin {
			s.tb.Errorf("%s was answered %d times, after %v", a.what, a.answers, a.took)
		}
	}
	s.mu.Unlock()
	var truth []string
	for _, p := range s.people {
		if p.gone() {
			s.tb.Fatalf("%s is gone", p.name)
		}
		p.news()
		truth = append(truth, fmt.Sprint(p.id, set(p.socket().Rooms())))
	}
	slices.Sort(truth)
	for _, n := range s.nodes {
		known := make(chan []string, 1)
		n.adapter().FetchSockets(nil)(func(sockets []socket.SocketDetails, err error) {
			if err != nil {
				s.tb.Errorf("%s: %v", n.name, err)
			}
			var list []string
			for _, one := range sockets {
				list = append(list, fmt.Sprint(one.Id(), set(one.Rooms())))
			}
			slices.Sort(list)
			known <- list
		})
		if got := <-known; !slices.Equal(got, truth) {
			s.tb.Errorf("%s knows of %v, and there are %v", n.name, got, truth)
		}
		n.adapter().Broadcast(&parser.Packet{Type: parser.EVENT, Data: []any{"calm", n.name}}, nil)
		time.Sleep(200 * time.Millisecond)
		for _, p := range s.people {
			if news := p.news(); len(news) != 1 {
				s.tb.Errorf("%s has heard %q of %s", p.name, news, n.name)
			}
		}
	}
	s.followers(roomsOfStorm)
}

// followers looks whether in mode Sharded the instances listen to the channels of the rooms that they have members of, and of no others.
func (b *bubble) followers(rooms []socket.Room) {
	if b.mode != redisadapter.Sharded {
		return
	}
	for _, room := range rooms {
		owners := int64(0)
		for _, n := range b.nodes {
			if n.adapter().HasMembers(room) {
				owners++
			}
		}
		channel := "socket.io#/chat#" + string(room) + "#"
		got, err := b.nodes[0].client.PubSubShardNumSub(context.Background(), channel).Result()
		if err != nil || got[channel] != owners {
			b.tb.Errorf("%d instances listen to room %s, which has members on %d, %v", got[channel], room, owners, err)
		}
	}
}

package redisadapter_test

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/zishang520/engine.io/v2/types"
	"github.com/zishang520/socket.io-go-parser/v2/parser"
	"github.com/zishang520/socket.io/v2/socket"
)

// The steps of the model tests: each is done, and what came of it is compared with the model.

func (m *model) start([4]int) {
	if len(m.nodes) < 4 {
		m.bubble.start()
	}
}

func (m *model) end(n [4]int) { m.lose(n[0], false) }

func (m *model) kill(n [4]int) { m.lose(n[0], true) }

// lose ends an instance, unless it is the last, with everybody on it.
func (m *model) lose(n int, killed bool) {
	if len(m.nodes) < 2 {
		return
	}
	node := m.where(n)
	for _, p := range m.people {
		if p.node == node {
			delete(m.in, p)
		}
	}
	m.bubble.end(node, killed)
	if killed {
		m.together()
	}
}

func (m *model) connect(n [4]int) {
	m.names++
	p := m.bubble.connect(m.where(n[0]), fmt.Sprint("person-", m.names))
	m.people, m.in[p] = append(m.people, p), map[socket.Room]bool{}
}

func (m *model) leave(n [4]int) {
	if p := m.who(n[0]); p != nil {
		delete(m.in, p)
		p.leave()
	}
}

var roomPool = []socket.Room{"a", "b", "c d", "7"}

func (m *model) join(n [4]int) {
	if p := m.who(n[0]); p != nil {
		room := roomPool[n[1]%len(roomPool)]
		p.socket().Join(room)
		m.in[p][room] = true
	}
}

func (m *model) part(n [4]int) {
	if p := m.who(n[0]); p != nil {
		room := roomPool[n[1]%len(roomPool)]
		p.socket().Leave(room)
		delete(m.in[p], room)
	}
}

func (m *model) addSockets(n [4]int) {
	opts, meant := m.options(n[0], n[1])
	room := roomPool[n[2]%len(roomPool)]
	m.where(n[3]).adapter().AddSockets(opts, []socket.Room{room})
	for _, p := range meant {
		m.in[p][room] = true
	}
}

func (m *model) delSockets(n [4]int) {
	opts, meant := m.options(n[0], n[1])
	room := roomPool[n[2]%len(roomPool)]
	m.where(n[3]).adapter().DelSockets(opts, []socket.Room{room})
	for _, p := range meant {
		delete(m.in[p], room)
	}
}

func (m *model) disconnect(n [4]int) {
	opts, meant := m.options(n[0], n[1])
	m.where(n[2]).adapter().DisconnectSockets(opts, n[3]%2 == 0)
	time.Sleep(100 * time.Millisecond)
	for _, p := range meant {
		if !p.gone() {
			m.tb.Errorf("%s is still there", p.name)
		}
		delete(m.in, p)
		p.leave()
	}
}

// broadcast is heard by those who are meant, once.
func (m *model) broadcast(n [4]int) {
	opts, meant := m.options(n[0], n[1])
	m.said++
	m.where(n[2]).adapter().Broadcast(&parser.Packet{Type: parser.EVENT, Data: []any{"said", m.said}}, opts)
	time.Sleep(100 * time.Millisecond)
	m.heard(meant, fmt.Sprintf(`["said",%d]`, m.said))
}

// heard compares what was heard with what was said to some.
func (m *model) heard(meant []*person, event string) {
	for _, p := range m.people {
		var want []string
		if slices.Contains(meant, p) {
			want = []string{event}
		}
		if news := p.news(); !slices.Equal(news, want) {
			m.tb.Errorf("%s in %s has heard %q, and should have heard %q", p.name, m.roomsOf(p), news, want)
		}
	}
}

// once collects what is called back, and complains of what is called twice or never.
func await[T any](m *model, what string, call func(func(T, error))) (result T, ok bool) {
	type answer struct {
		value T
		err   error
	}
	got := make(chan answer, 10)
	call(func(v T, err error) { got <- answer{v, err} })
	select {
	case a := <-got:
		if a.err != nil {
			m.tb.Errorf("%s: %v", what, a.err)
		}
		time.Sleep(10 * time.Second)
		if len(got) > 0 {
			m.tb.Errorf("%s is answered twice", what)
		}
		return a.value, a.err == nil
	case <-time.After(patience):
		m.tb.Errorf("%s is never answered", what)
		return result, false
	}
}

// fetch finds those who are meant, with their rooms.
func (m *model) fetch(n [4]int) {
	opts, meant := m.options(n[0], n[1])
	sockets, ok := await(m, "fetchSockets", func(f func([]socket.SocketDetails, error)) { m.where(n[2]).adapter().FetchSockets(opts)(f) })
	if !ok {
		return
	}
	var got, want []string
	for _, s := range sockets {
		got = append(got, fmt.Sprint(s.Id(), set(s.Rooms())))
	}
	for _, p := range meant {
		want = append(want, fmt.Sprint(p.id, m.roomsOf(p)))
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		m.tb.Errorf("fetched %v, and there are %v", got, want)
	}
}

// emit is answered by all other instances.
func (m *model) emit(n [4]int) {
	from := m.where(n[0])
	answers, ok := await(m, "serverSideEmit", func(f func([]any, error)) {
		if err := from.adapter().ServerSideEmit([]any{"hello", socket.Ack(f)}); err != nil {
			m.tb.Errorf("serverSideEmit: %v", err)
		}
	})
	if !ok {
		return
	}
	var got, want []string
	for _, a := range answers {
		got = append(got, fmt.Sprint(a))
	}
	for _, other := range m.nodes {
		if other != from {
			want = append(want, other.name)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		m.tb.Errorf("answered by %v, and there are %v", got, want)
	}
}

// ask is acknowledged by those who are meant; each instance has told how many those are there.
func (m *model) ask(n [4]int) {
	opts, meant := m.options(n[0], n[1])
	timeout := 2 * time.Second
	opts.Flags.Timeout = &timeout
	var mu sync.Mutex
	counts, asked, answers := 0, uint64(0), []string{}
	m.said++
	m.where(n[2]).adapter().BroadcastWithAck(&parser.Packet{Type: parser.EVENT, Data: []any{"asked", m.said}}, opts, func(n uint64) {
		mu.Lock()
		defer mu.Unlock()
		counts++
		asked += n
	}, func(args []any, err error) {
		mu.Lock()
		defer mu.Unlock()
		answers = append(answers, fmt.Sprint(args, err))
	})
	time.Sleep(time.Second)
	mu.Lock()
	defer mu.Unlock()
	var want []string
	for _, p := range meant {
		want = append(want, fmt.Sprint([]any{p.name}, error(nil)))
	}
	slices.Sort(answers)
	slices.Sort(want)
	if counts != len(m.nodes) || asked != uint64(len(meant)) || !slices.Equal(answers, want) {
		m.tb.Errorf("%d of %d instances asked %d of %d; answered by %v, and should be by %v", counts, len(m.nodes), asked, len(meant), answers, want)
	}
	m.heard(meant, fmt.Sprintf(`["asked",%d]`, m.said))
}

// rooms are those that anybody is in.
func (m *model) rooms(n [4]int) {
	got, ok := await(m, "allRooms", func(f func(*types.Set[socket.Room], error)) { m.where(n[0]).adapter().AllRooms()(f) })
	want := types.NewSet[socket.Room]()
	for _, p := range m.people {
		want.Add(p.socket().Rooms().Keys()...)
	}
	if ok && set(got) != set(want) {
		m.tb.Errorf("there are rooms %s, and should be %s", set(got), set(want))
	}
}

func (m *model) count(n [4]int) {
	if got := m.where(n[0]).adapter().ServerCount(); got != int64(len(m.nodes)) {
		m.tb.Errorf("%d instances are counted of %d", got, len(m.nodes))
	}
}

package redisadapter_test

import (
	"slices"
	"time"

	"socketio-chat/pkg/e2e/simulation/line"
)

// breakOneByOne breaks the connections of an instance to Redis, one after another, while all is well but for that: with something on its way in
// both directions.
func (s *storm) breakOneByOne() {
	n, other := s.nodes[0], s.nodes[1]
	for _, c := range n.back.Conns() {
		n.back.Slow(200 * time.Millisecond)
		s.tell(n, "")
		s.tell(n, alwaysRoom)
		s.tell(other, alwaysRoom)
		s.tellAsNode()
		time.Sleep(100 * time.Millisecond)
		line.Reset(c)
		n.back.Slow(0)
		s.together()
	}
}

// later runs f after some seconds.
func (s *storm) later(f func()) {
	time.AfterFunc(time.Duration(s.random.IntN(10_000))*time.Millisecond, f)
}

func (s *storm) node() *node { return s.nodes[s.random.IntN(len(s.nodes))] }

func (s *storm) redisRestarts() {
	s.down.Add(1)
	s.redis.Kill()
	s.later(func() { s.redis.Start(0); s.down.Add(-1) })
}

func (s *storm) redisStops() {
	s.down.Add(1)
	s.redis.Stop(true)
	s.later(func() { s.redis.Stop(false); s.down.Add(-1) })
}

// connectionBreaks breaks one of those that an instance has, with something on its way.
func (s *storm) connectionBreaks() {
	n := s.node()
	n.back.Slow(200 * time.Millisecond)
	s.tell(n, "")
	time.Sleep(100 * time.Millisecond)
	if conns := n.back.Conns(); len(conns) > 0 {
		line.Reset(conns[s.random.IntN(len(conns))])
	}
	n.back.Slow(0)
}

func (s *storm) clientsKilled() { s.redis.KillClients() }

func (s *storm) lineCut() {
	l := s.node().back
	l.Cut()
	s.later(l.Mend)
}

func (s *storm) lineJammed() {
	l := s.node().back
	l.Jam(true)
	s.later(func() { l.Jam(false) })
}

func (s *storm) lineSlow() {
	l := s.node().back
	l.Slow(time.Duration(s.random.IntN(500)) * time.Millisecond)
	s.later(func() { l.Slow(0) })
}

// instanceGoes ends one that nobody is on, if there is one.
func (s *storm) instanceGoes() {
	for _, n := range s.nodes {
		if !slices.ContainsFunc(s.people, func(p *person) bool { return p.node == n }) {
			s.end(n, s.random.IntN(2) == 0)
			return
		}
	}
}

func (s *storm) instanceComes() {
	if len(s.nodes) < 5 {
		s.bubble.begin()
	}
}

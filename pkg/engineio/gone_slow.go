package engineio

import "sync"

// goneSlow remembers which polling sessions were closed for being slow. A WebSocket
// reads the reason from its close frame; a client that polls too seldom finds its
// session unknown, and is told why only by what is remembered here.
type goneSlow struct {
	mu   sync.Mutex
	ids  map[string]struct{}
	ring []string // the ids in the order they came, at most goneSlowLimit
	next int      // the oldest of a full ring
}

// goneSlowLimit is how many are remembered, the latest ones.
const goneSlowLimit = 1024

func (g *goneSlow) add(id string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ids == nil {
		g.ids = make(map[string]struct{})
	}
	if len(g.ring) < goneSlowLimit {
		g.ring = append(g.ring, id)
	} else {
		delete(g.ids, g.ring[g.next])
		g.ring[g.next] = id
		g.next = (g.next + 1) % goneSlowLimit
	}
	g.ids[id] = struct{}{}
}

// text is what a request for an unknown session is told beside the code; empty
// means what the code always says.
func (g *goneSlow) text(id string) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, slow := g.ids[id]; !slow {
		return ""
	}
	return codeUnknownSID.message() + ": " + string(SlowClient)
}

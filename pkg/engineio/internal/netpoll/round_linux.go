package netpoll

// A round is what one wait has found for Readers. They are glanced at one after another: most have a heartbeat, which is
// all there is to do for them. Those that have Work get a goroutine each: nobody waits for anybody's work.
type round struct {
	poller *Poller
	ready  []*Parking
	in     arrivals // what was received for them
	read   func()   // glance, made once
}

// crowd is how many sockets are glanced at on a goroutine of their own, beside the next wait. Fewer would not be worth
// waking one.
const crowd = 32

// newRound returns an empty round, which ends with start.
func (p *Poller) newRound() *round {
	r, ok := p.rounds.Get().(*round)
	if !ok {
		r = &round{poller: p}
		r.read = r.glance
	}
	return r
}

// add appends a socket; only before start.
func (r *round) add(k *Parking) { r.ready = append(r.ready, k) }

// start reads the round. The caller has no part in it any more.
func (r *round) start() {
	if len(r.ready) < crowd {
		r.glance()
	} else {
		r.poller.start(r.read)
	}
}

func (r *round) glance() {
	r.in.receive(r.poller.ring, r.ready)
	for i, k := range r.ready {
		if w := k.Reader.Glance(r.in.of(i)); w != nil {
			r.poller.start(w.Run)
		}
	}
	clear(r.ready)
	r.ready = r.ready[:0]
	r.poller.rounds.Put(r)
}

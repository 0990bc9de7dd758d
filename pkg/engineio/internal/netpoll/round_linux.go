package netpoll

// A round is what one wait has found for Readers. One goroutine glances at one socket after
// another: most have a heartbeat, which is all there is to do for them. The first that has
// Work keeps the goroutine, and another goes on with the round: nobody waits for
// anybody's work, and a crowd of heartbeats costs one goroutine.
type round struct {
	poller *Poller
	ready  []*Parking // still to be read
	room   []*Parking // where they stand
	read   func()     // glance, made once
}

// newRound returns an empty round, which ends with goOn.
func (p *Poller) newRound() *round {
	r, ok := p.rounds.Get().(*round)
	if !ok {
		r = &round{poller: p}
		r.read = r.glance
	}
	r.ready = r.room[:0]
	return r
}

// add appends a socket; only before goOn.
func (r *round) add(k *Parking) {
	r.room = append(r.ready, k)
	r.ready = r.room
}

// goOn lets a goroutine read what is left of the round. The caller has no part in it any more.
func (r *round) goOn() {
	if len(r.ready) > 0 {
		r.poller.start(r.read)
		return
	}
	r.poller.rounds.Put(r)
}

func (r *round) glance() {
	for len(r.ready) > 0 {
		k := r.ready[0]
		r.ready[0] = nil
		r.ready = r.ready[1:]
		if w := k.Reader.Glance(); w != nil {
			r.goOn()
			w.Run()
			return
		}
	}
	r.goOn()
}

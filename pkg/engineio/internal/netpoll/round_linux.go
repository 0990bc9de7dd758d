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
			r.poller.work(w)
		}
	}
	r.in.forget()
	clear(r.ready)
	r.ready = r.ready[:0]
	r.poller.rounds.Put(r)
}

// A worker is a goroutine for Work.
type worker struct {
	poller *Poller
	work   Work
	run    func() // made once
}

// work lets a goroutine do w.
func (p *Poller) work(w Work) {
	g, ok := p.workers.Get().(*worker)
	if !ok {
		g = &worker{poller: p}
		g.run = g.begin
	}
	g.work = w
	p.start(g.run)
}

func (g *worker) begin() {
	w := g.work
	g.work = nil
	g.poller.workers.Put(g)
	w.Run()
}

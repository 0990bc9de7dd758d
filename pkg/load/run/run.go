//go:build linux

package run

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"socketio-chat/pkg/load/client"
	"socketio-chat/pkg/load/message"
	"socketio-chat/pkg/load/result"
)

const (
	// connectPatience is how long clients may take to join, beyond the ramp.
	connectPatience = 90 * time.Second
	// quiet is how long no join notice must have come before sending begins.
	quiet = 300 * time.Millisecond
	// watched is how long changes of presence may take to reach everybody after the last client has come: those of a crowd
	// come once in two seconds.
	watched = 2500 * time.Millisecond
	// poll is how often the coordinator looks at the workers' counters.
	poll = 10 * time.Millisecond
)

// Observer is told how a run goes, once a second.
type Observer interface {
	Progress(s result.Sample)
}

// runner is the coordinator of one run; its fields belong to the goroutine of Run.
type runner struct {
	cfg      *Config
	plan     *plan
	workers  []*worker
	watch    *watcher
	observer Observer
	out      *result.Run
	phase    string
	phaseAt  time.Duration // when it began
	phaseFor time.Duration // how long it takes at most; 0: not known
	last     snapshot      // at the last sample
	nextAt   time.Duration
}

// Run carries out one load run. When ctx ends, the run ends early and what was measured until then is returned with
// the context's error. observer may be nil.
func Run(ctx context.Context, cfg Config, observer Observer) (*result.Run, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("this run cannot be made: %w", err)
	}
	targets, err := cfg.targets(ctx)
	if err != nil {
		return nil, err
	}
	size := max(cfg.Size, message.MarkLen)
	format, err := message.NewFormatIn(uint16(rand.Uint32()), cfg.Dialect.Wrapping(cfg.namespace(), size), size)
	if err != nil {
		return nil, err
	}
	watch, err := newWatcher(cfg.PIDs)
	if err != nil {
		return nil, err
	}
	r := &runner{
		cfg: &cfg, watch: watch, observer: observer, out: cfg.result(),
		plan: &plan{cfg: &cfg, targets: targets, format: format, epoch: time.Now()},
	}
	return r.run(ctx)
}

func (c *Config) result() *result.Run {
	return &result.Run{
		Version: result.Version, Label: c.Label, Started: time.Now().Round(time.Second), Machine: result.ThisMachine(),
		Settings: result.Settings{
			Servers: c.Servers, Clients: c.Clients, Senders: c.Senders, Rate: c.Rate, InFlight: c.InFlight, Size: c.Size,
			Transport: string(c.Transport), Protocol: c.Protocol, Duration: c.Duration.Seconds(),
		},
	}
}

// run starts the workers, goes through the phases, ends the workers and counts.
func (r *runner) run(ctx context.Context) (*result.Run, error) {
	if err := r.makeWorkers(); err != nil {
		return nil, err
	}
	loops, stop := context.WithCancel(context.Background())
	defer stop()
	failed, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	var running sync.WaitGroup
	for _, w := range r.workers {
		running.Go(func() {
			if err := w.run(loops); err != nil {
				fail(err)
			}
		})
	}
	r.last = r.sum()
	r.last.reading = r.watch.read()
	r.nextAt = r.last.at + sampleEvery
	err := r.phases(failed)
	r.finalSnapshot()
	stop()
	running.Wait()
	r.count()
	return r.out, err
}

// makeWorkers spreads clients and senders evenly over servers, source addresses and workers.
func (r *runner) makeWorkers() error {
	cfg := r.cfg
	for i := range cfg.threads() {
		w, err := newWorker(r.plan, i)
		if err != nil {
			return err
		}
		r.workers = append(r.workers, w)
	}
	sources := cfg.sources(r.plan.targets)
	for i := range cfg.Clients {
		t := r.plan.targets[i%len(r.plan.targets)]
		peer := client.Peer{Target: t.addr, Host: t.host, Username: fmt.Sprintf("load-%d", i)}
		if len(sources) > 0 {
			peer.Source = sources[i/len(r.plan.targets)%len(sources)]
		}
		r.workers[i%len(r.workers)].add(peer, senderNumber(i, cfg.Clients, cfg.Senders, len(r.plan.targets)))
	}
	for _, w := range r.workers {
		w.sortSenders()
	}
	return nil
}

// senderNumber is the number of client i as a sender, or -1. Client i is one of server i mod servers, and sender k belongs
// to server k mod servers, so that each server gets its share of both; among a server's clients its senders are spread.
func senderNumber(i, clients, senders, servers int) int {
	server, place := i%servers, i/servers
	share := func(all int) int { return max(0, (all-server+servers-1)/servers) }
	there, sending := share(clients), share(senders)
	if sending == 0 {
		return -1
	}
	k := (place*sending + there - 1) / there
	if k >= sending || k*there/sending != place {
		return -1
	}
	return k*servers + server
}

// begin starts a phase, of a length that is known or 0.
func (r *runner) begin(phase string, length time.Duration) {
	r.phase, r.phaseAt, r.phaseFor = phase, r.now(), length
}

func (r *runner) phases(ctx context.Context) error {
	if err := r.connect(ctx); err != nil {
		return err
	}
	if err := r.settle(ctx); err != nil {
		return err
	}
	return r.measure(ctx)
}

// connect lets the clients come.
func (r *runner) connect(ctx context.Context) error {
	r.begin("connecting", 0)
	start := r.now()
	before := r.watch.read()
	r.out.Connect.KernelStart = before.kernel
	for _, w := range r.workers {
		w.ask(func() { w.starting = true; w.loop.Wake() })
	}
	through := func() bool { return r.sum().through() == int64(r.cfg.Clients) }
	err := r.wait(ctx, r.cfg.Ramp+connectPatience, through)
	s := r.sum()
	c := &r.out.Connect
	c.Joined, c.Failed = int(s.joined), int(s.failed)
	c.Seconds = max(s.lastJoin-start, 0).Seconds()
	if err == nil && r.cfg.AwaitJoins {
		err = r.awaitJoins(ctx, start)
	}
	if err == nil && r.cfg.Watch {
		err = r.wait(ctx, watched, nil)
	}
	c.Processes = r.watch.usage(before, r.watch.read())
	if err != nil {
		return err
	}
	if s.joined == 0 {
		return fmt.Errorf("no client could join: %w", r.failReason())
	}
	return nil
}

// settle waits until the announcements of the last clients have been heard.
func (r *runner) settle(ctx context.Context) error {
	r.begin("settling", 0)
	from := r.now()
	err := r.wait(ctx, connectPatience, func() bool { return r.now()-max(r.sum().lastNotice, from) > quiet })
	r.out.Connect.Notices = r.sum().notices
	return err
}

// measure sends, measures the window and waits for what is under way at its end.
func (r *runner) measure(ctx context.Context) error {
	start := r.now()
	if r.cfg.Senders > 0 {
		r.begin("warming up", r.cfg.Warmup)
		for _, w := range r.workers {
			w.ask(func() { w.startSending(start) })
		}
		if err := r.wait(ctx, r.cfg.Warmup, nil); err != nil {
			return err
		}
	}
	r.begin("measuring", r.cfg.Duration)
	before, from := r.watch.read(), r.sum()
	r.setWindow(r.now(), beyond)
	err := r.wait(ctx, r.cfg.Duration, nil)
	after, till := r.watch.read(), r.sum()
	for _, w := range r.workers {
		w.ask(func() { w.sending = false })
	}
	r.setWindow(-1, r.now())
	win := &r.out.Window
	win.Seconds = (till.at - from.at).Seconds()
	win.Sent, win.Deliveries = till.sent-from.sent, till.delivered-from.delivered
	win.Processes, win.KernelEnd = r.watch.usage(before, after), after.kernel
	win.Self, win.Others = r.watch.rest(before, after, win.CPU())
	if err != nil {
		return err
	}
	r.begin("draining", r.cfg.Drain)
	// Messages go to those who are there: what the left ones miss cannot come any more.
	return r.wait(ctx, r.cfg.Drain, func() bool {
		s := r.sum()
		return s.delivered >= s.sent*uint64(max(s.joined-s.left, 0))
	})
}

// setWindow tells the workers which messages' latency counts. A negative from leaves it.
func (r *runner) setWindow(from, till time.Duration) {
	for _, w := range r.workers {
		w.ask(func() {
			if from >= 0 {
				w.from = uint32(from / time.Microsecond)
			}
			w.till = uint32(min(till/time.Microsecond, message.MaxMicros))
		})
	}
}

// wait returns when done says so, the time is over, or with an error when ctx ends. It samples meanwhile.
func (r *runner) wait(ctx context.Context, atMost time.Duration, done func() bool) error {
	end := r.now() + atMost
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-timer.C:
		}
		now := r.now()
		if now >= r.nextAt {
			r.sample(now)
		}
		if done != nil && done() || now >= end {
			return nil
		}
		next := min(end, r.nextAt) - now
		if done != nil {
			next = min(next, poll)
		}
		timer.Reset(next)
	}
}

func (r *runner) now() time.Duration { return time.Since(r.plan.epoch) }

func (r *runner) failReason() error {
	for _, w := range r.workers {
		var err error
		w.ask(func() { err = w.failReason })
		if err != nil {
			return err
		}
	}
	return errors.New("the server does not answer")
}

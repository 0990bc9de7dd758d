package redisadapter

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/redis/go-redis/v9"
	rtypes "github.com/zishang520/socket.io-go-redis/types"

	"socketio-chat/pkg/redisadapter/internal/hub"
)

// hubs are a Builder's hubs: one, or in mode Sharded on a Redis Cluster one for each namespace, whose
// connections go to the server with the namespace's slot.
type hubs struct {
	mu     sync.Mutex
	list   map[string]*hub.Hub // by namespace; "": the only one
	past   Status              // counters of hubs that have ended
	once   bool                // all were joined at one time
	closed bool

	notifyMu sync.Mutex // held while OnChange runs
	told     bool       // what OnChange was told last
}

// each tells whether each namespace has a hub.
func (b *Builder) each() bool {
	if b.Mode != Sharded || b.Redis == nil {
		return false
	}
	_, spread := b.Redis.Client.(*redis.ClusterClient)
	return spread
}

// shared returns the hub of all namespaces.
func (b *Builder) shared() *hub.Hub { return b.hubFor("") }

// hubFor returns the hub of a namespace, made at first use.
func (b *Builder) hubFor(nsp string) *hub.Hub {
	if !b.each() {
		nsp = ""
	}
	b.hubs.mu.Lock()
	defer b.hubs.mu.Unlock()
	h := b.hubs.list[nsp]
	if h != nil && (!h.Ended() || nsp == "" || b.hubs.closed) {
		return h
	}
	if h != nil { // the namespace was closed and comes back
		b.hubs.past.Count(h.Status())
	}
	h = b.newHub(nsp)
	if b.hubs.list == nil {
		b.hubs.list = map[string]*hub.Hub{}
	}
	b.hubs.list[nsp] = h
	if b.hubs.closed {
		h.Refuse(ErrClosed)
	}
	return h
}

func (b *Builder) newHub(nsp string) *hub.Hub {
	client := b.Redis
	if client == nil {
		client = &rtypes.RedisClient{}
	}
	cfg := b.config()
	if b.each() {
		cfg.OnChange = func(Status) { b.changed() }
	}
	return hub.New(client, cfg.Config, b.Mode, nsp)
}

// all returns the hubs there are.
func (b *Builder) all() (list []*hub.Hub) {
	b.hubs.mu.Lock()
	defer b.hubs.mu.Unlock()
	for _, h := range b.hubs.list {
		list = append(list, h)
	}
	return list
}

// Status tells how the cluster is doing. It costs a lock, no round trip. Where each namespace has
// connections of its own, Joined means all of them; one that was made a moment ago and is only
// connecting does not count against it.
func (b *Builder) Status() Status {
	if !b.each() {
		return b.shared().Status()
	}
	list := b.all()
	b.hubs.mu.Lock()
	s := b.hubs.past
	once := b.hubs.once
	b.hubs.mu.Unlock()
	joined, down := 0, 0
	for _, h := range list {
		part := h.Status()
		s.Count(part)
		switch {
		case part.Joined:
			joined++
		case part.LastError != nil || !once:
			down++
		}
		if part.Since.After(s.Since) {
			s.Since = part.Since
		}
		if s.LastError == nil || !part.Joined && part.LastError != nil {
			s.LastError = part.LastError
		}
		s.Servers, s.Lag = max(s.Servers, part.Servers), max(s.Lag, part.Lag)
		s.Queued, s.QueuedLen = s.Queued+part.Queued, s.QueuedLen+part.QueuedLen
	}
	s.Joined = joined > 0 && down == 0
	if s.Joined && !once {
		b.hubs.mu.Lock()
		b.hubs.once = true
		b.hubs.mu.Unlock()
	}
	if !s.Joined {
		s.Servers = 1
	}
	return s
}

// Join waits until this instance has joined the cluster, an attempt to has failed, or ctx is done. A client that comes
// before may miss what other instances say; so call it between the making of the namespaces and the listening. The error
// says why the cluster is not joined; the attempts go on.
func (b *Builder) Join(ctx context.Context) error {
	for _, h := range b.all() {
		if err := h.AwaitJoin(ctx); err != nil {
			return fmt.Errorf("join the cluster: %w", err)
		}
	}
	s := b.Status()
	if s.Joined {
		return nil
	}
	return fmt.Errorf("join the cluster: %w", cmp.Or(s.LastError, ErrNotJoined))
}

// changed tells the application when what Status says of all hubs together has changed.
func (b *Builder) changed() {
	b.hubs.notifyMu.Lock()
	defer b.hubs.notifyMu.Unlock()
	s := b.Status()
	if s.Joined == b.hubs.told {
		return
	}
	b.hubs.told = s.Joined
	if b.OnChange != nil {
		b.OnChange(s)
	}
}

// Close publishes what is queued, and waits for a Redis that is away as long as ctx allows, then leaves
// the cluster and waits for the goroutines. What was given up is counted as dropped and told by an
// [*UnpublishedError]. Adapters go on serving this instance's sockets. It may be called more than once.
func (b *Builder) Close(ctx context.Context) error {
	if !b.each() {
		return b.shared().Close(ctx)
	}
	b.hubs.mu.Lock()
	b.hubs.closed = true
	b.hubs.mu.Unlock()
	list := b.all()
	errs := make([]error, len(list))
	var done sync.WaitGroup
	for i, h := range list {
		done.Go(func() { errs[i] = h.Close(ctx) })
	}
	done.Wait()
	return errors.Join(errs...)
}

// Shed drops the newest of what waits for Redis, about want bytes, and returns how many bytes and messages
// those were. They count as dropped. It is for a process that runs out of memory.
func (b *Builder) Shed(want int64) (bytes int64, messages int) {
	for _, h := range b.all() {
		if bytes >= want {
			break
		}
		freed, n := h.Shed(int(want - bytes))
		bytes, messages = bytes+int64(freed), messages+n
	}
	return bytes, messages
}

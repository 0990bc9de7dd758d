package history

import (
	"context"
	"crypto/rand"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"socketio-chat/pkg/ratelog"
)

// prefix begins all keys. What is in braces puts them into one slot of a Redis Cluster.
const prefix = "socketio-chat:{history}:"

// How Redis is used.
const (
	commandTimeout = 2 * time.Second
	pageTimeout    = time.Second
	beat           = time.Second     // between two attempts to be the recorder
	leaseFor       = 3 * time.Second // a recorder that is not heard of for so long is no more
	youngFor       = leaseFor + 2*beat
	pagesAtOnce    = 4
)

// RedisOptions configures a Redis.
type RedisOptions struct {
	Client redis.UniversalClient
	Limits Limits
	// QueueBytes bounds what waits to be appended while Redis is away, 0: 8 MiB. When it is more, the oldest is given up.
	QueueBytes int64
	// MaxEntry bounds an entry that is shown, in bytes; 0: 32 MiB, which is twice the largest MAX_PAYLOAD_BYTES.
	MaxEntry int
	// Logger gets warnings, rarely. Nil discards them.
	Logger *slog.Logger
}

// Redis is a Store that the instances of a cluster share: a stream for each room. See the package's documentation.
//
// It has two goroutines: one appends what is queued, one tries to be the recorder and looks for what is new. Close ends both.
type Redis struct {
	// Static.
	client redis.UniversalClient
	limits Limits
	me     string // this store among those of the cluster
	begun  time.Time
	young  time.Duration // how long after that it is not the recorder
	most   int           // bytes of an entry that is shown
	log    ratelog.Log
	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	wg     sync.WaitGroup

	queue   queue
	mirror  mirror
	reading chan struct{} // holds one while a page is read
	rec     recorder
	active  atomic.Bool // something was said since the mirror was last made
}

var _ Store = (*Redis)(nil)

// NewRedis returns a store. It does not wait for Redis.
func NewRedis(o RedisOptions) *Redis {
	if o.MaxEntry == 0 {
		o.MaxEntry = 32 << 20
	}
	if o.QueueBytes == 0 {
		o.QueueBytes = 8 << 20
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &Redis{client: o.Client, limits: o.Limits, me: rand.Text(), begun: time.Now(), young: youngFor, log: ratelog.Log{Logger: o.Logger}, ctx: ctx, cancel: cancel}
	s.most = o.MaxEntry
	s.reading = make(chan struct{}, pagesAtOnce)
	s.queue.init(o.QueueBytes)
	s.mirror.limit = min(o.Limits.Count, mirrorCount)
	s.wg.Go(s.write)
	s.wg.Go(s.keepWatch)
	return s
}

// Append queues a message. done is called when it is kept, or after about two seconds without Redis; what is queued then is appended later.
func (s *Redis) Append(m Message, done func(Receipt)) {
	s.active.Store(true)
	m.Payload = own(m.Payload)
	s.queue.push(&waiting{message: m, done: done, since: time.Now()})
}

// Close waits until what is queued is appended, as long as ctx allows.
func (s *Redis) Close(ctx context.Context) error {
	err := s.queue.drained(ctx)
	s.cancel()
	s.queue.close()
	s.wg.Wait()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commandTimeout/2)
	defer cancel()
	if s.rec.leads() { // the next need not wait until the lease ends
		_ = releaseScript.Run(ctx, s.client, []string{prefix + "recorder"}, s.me).Err()
	}
	return err
}

// keepWatch tries to be the recorder, and keeps the mirror fresh, once a beat.
func (s *Redis) keepWatch() {
	ticker := time.NewTicker(beat)
	defer ticker.Stop()
	for {
		s.lease()
		if s.active.Swap(false) {
			ctx, cancel := context.WithTimeout(s.ctx, pageTimeout)
			_ = s.refresh(ctx) // those that ask for messages are told
			cancel()
		}
		select {
		case <-ticker.C:
		case <-s.ctx.Done():
			return
		}
	}
}

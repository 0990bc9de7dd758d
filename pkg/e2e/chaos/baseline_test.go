package chaos

import (
	"context"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
)

// A baseline is what the world holds when nobody has done anything yet.
type baseline struct {
	lives  []int // which processes these were
	vitals []vital
	keys   map[string]bool
}

// What may differ: a process that was born into trouble has not made everything yet that is made once.
const (
	spareGoroutines  = 12
	spareDescriptors = 12
)

// baseline looks at all instances, with everybody there, and at Redis.
func (w *world) baseline() (b baseline) {
	for _, in := range w.instances[:firstPlaces] {
		b.lives, b.vitals = append(b.lives, in.lives()), append(b.vitals, in.vital(w.t))
	}
	b.keys = w.redis.lasting(w)
	return b
}

// backTo waits until the instances hold no more than in the beginning, and Redis nothing for good that it did not hold.
func (w *world) backTo(b baseline) {
	w.t.Helper()
	for i, in := range w.instances[:firstPlaces] {
		var now vital
		defer func() {
			if w.t.Failed() {
				w.t.Logf("instance %d holds %v", i, now)
			}
		}()
		within := func() bool {
			now = in.vital(w.t)
			before := b.vitals[i]
			return now.goroutines <= before.goroutines+spareGoroutines && now.descriptors <= before.descriptors+spareDescriptors &&
				now.megabytes <= before.megabytes*1.25+2*spareMegabytes
		}
		eventually(w.t, fmt.Sprintf("instance %d holds what the first held (%v)", i, b.vitals[i]), within)
	}
	more := ""
	defer func() {
		if more != "" {
			w.t.Errorf("Redis holds %s for good", more)
		}
	}()
	eventually(w.t, "Redis holds nothing for good that it did not hold", func() bool {
		more = ""
		for key := range w.redis.lasting(w) {
			if !b.keys[key] {
				more = key
			}
		}
		return more == ""
	})
}

// lasting are the keys that do not expire, but for the stream.
func (r *redisServer) lasting(w *world) map[string]bool {
	ctx := context.Background()
	c := redis.NewClient(&redis.Options{Network: "unix", Addr: r.socket()})
	defer c.Close()
	keys := map[string]bool{}
	all, err := c.Keys(ctx, "*").Result()
	if err != nil {
		w.t.Errorf("KEYS: %v", err)
	}
	for _, key := range all {
		if ttl, err := c.TTL(ctx, key).Result(); err == nil && ttl == -1 && key != "socket.io" {
			keys[key] = true
		}
		if strings.HasSuffix(key, "instances") { // the registry forgets those that are gone
			n, _ := c.SCard(ctx, key).Result()
			for i := range max(0, int(n)-firstPlaces) {
				keys[fmt.Sprint(key, "+", i)] = true
			}
		}
	}
	return keys
}

package hub

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

var errOtherMaster = errors.New("the Sentinels name another master")

// masterConns are the open connections of a hub.
type masterConns struct {
	mu   sync.Mutex
	list map[*countingConn]bool
}

func (m *masterConns) add(c *countingConn) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.list == nil {
		m.list = map[*countingConn]bool{}
	}
	m.list[c] = true
}

func (m *masterConns) remove(c *countingConn) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.list, c)
}

// others returns the connections that go to another address.
func (m *masterConns) others(addr string) (list []*countingConn) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for c := range m.list {
		if c.RemoteAddr().String() != addr {
			list = append(list, c)
		}
	}
	return list
}

// watchMaster starts to ask the Sentinels, if the client is one of redis.NewFailoverClient. A master
// that fails, or becomes a replica, ends its connections itself; one that was cut off from the
// Sentinels and not from us would go on as a cluster beside the others', without any fault to see.
// They are asked at every other heartbeat.
func (h *Hub) watchMaster() {
	client, ok := h.redis.Client.(*redis.Client)
	if !ok || client.Options().Addr != FailoverAddr {
		return
	}
	h.done.Go(func() {
		tick := time.NewTicker(2 * h.cfg.Heartbeat)
		defer tick.Stop()
		last := ""
		for {
			select {
			case <-h.ctx.Done():
				return
			case <-tick.C:
			}
			addr, err := masterAddr(h.ctx, client.Options())
			if err != nil {
				continue // if it matters, our connections notice
			}
			if list := h.masters.others(addr); addr == last { // not only once: a name may have several addresses
				for _, c := range list {
					h.fault.warn("Leaving this Redis", errOtherMaster)
					_ = c.Conn.Close()
				}
			}
			last = addr
		}
	})
}

// FailoverAddr is what go-redis calls the address of a client with Sentinels.
const FailoverAddr = "FailoverClient"

// masterAddr connects to the master that the Sentinels name, and tells where it is.
func masterAddr(ctx context.Context, opts *redis.Options) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, opts.DialTimeout)
	defer cancel()
	conn, err := opts.Dialer(ctx, opts.Network, opts.Addr)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	return conn.RemoteAddr().String(), nil
}

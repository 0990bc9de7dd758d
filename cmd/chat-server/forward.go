package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"

	"socketio-chat/pkg/config"
	"socketio-chat/pkg/engineio"
	"socketio-chat/pkg/forward"
)

// forwardTimeout is what the answer to a forwarded poll may take beyond the heartbeat,
// which ends the poll of a client that is gone.
const forwardTimeout = 5 * time.Second

// newForwarder makes sessions of other instances reachable through this one, and this
// one's through them, unless CLUSTER_ADDR is off.
func newForwarder(cfg config.Config, client redis.UniversalClient, engine *engineio.Options, log *slog.Logger) (*forward.Forwarder, error) {
	if cfg.Cluster.Off {
		return nil, nil
	}
	f, err := forward.New(forward.Options{
		Redis:     client,
		Secret:    cfg.Cluster.Secret.Reveal(),
		Listen:    cfg.Cluster.Addr,
		Advertise: cfg.Cluster.Advertise,
		Timeout:   cfg.Engine.PingInterval + cfg.Engine.PingTimeout + forwardTimeout,
		MaxBody:   cfg.Engine.MaxPayload,
		Logger:    log,
	})
	if err != nil {
		return nil, fmt.Errorf("cannot take requests of other instances (CLUSTER_ADDR says where): %w", err)
	}
	engine.NewID, engine.Forward = f.NewID, f.Forward
	return f, nil
}

// drainForwarded lets clients of other instances go whose WebSockets pass through this
// one. The function it returns waits for the end of that.
func (c *chatParts) drainForwarded(ctx context.Context, over time.Duration) (wait func()) {
	if c.forward == nil {
		return func() {}
	}
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		if err := c.forward.Drain(ctx, over); err != nil {
			c.log.Debug("forwarded clients are cut off", "error", err)
		}
	}()
	return func() { <-drained }
}

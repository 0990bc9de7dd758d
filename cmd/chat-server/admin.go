package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/redis/go-redis/v9"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/adminui"
	"socketio-chat/pkg/config"
)

// attachAdmin lets the Admin UI connect, if it is configured. It comes after everything that
// sockets are given when they connect.
func (c *chatParts) attachAdmin(a config.Admin, log *slog.Logger) error {
	if !a.Configured() {
		return nil
	}
	options := adminui.Options{
		Username:     a.User,
		PasswordHash: []byte(a.PasswordHash.Reveal()),
		ReadOnly:     a.ReadOnly,
		Development:  a.Mode == config.AdminDevelopment,
		Logger:       log,
		Address: func(h *socket.Handshake) string {
			return c.limiter.ClientAddr(h.Address, h.Headers).String()
		},
	}
	if c.cluster != nil {
		options.Sessions = adminSessions{c.cluster.client}
	}
	var err error
	if c.admin, err = adminui.Attach(c.io, options); err != nil {
		return fmt.Errorf("cannot offer the Admin UI (ADMIN_…): %w", err)
	}
	return nil
}

// adminSessions keeps sessions in Redis, so that a page may come back to any instance. The keys
// are those of the npm package's RedisStore.
type adminSessions struct{ client redis.UniversalClient }

func (s adminSessions) key(id string) string { return "socket.io-admin#" + id }

func (s adminSessions) Add(ctx context.Context, id string) error {
	return s.client.Set(ctx, s.key(id), "true", adminui.SessionFor).Err()
}

func (s adminSessions) Has(ctx context.Context, id string) (bool, error) {
	n, err := s.client.Exists(ctx, s.key(id)).Result()
	return n == 1, err
}

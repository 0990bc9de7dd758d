package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"socketio-chat/pkg/adminui"
	"socketio-chat/pkg/admission"
	"socketio-chat/pkg/chat"
	"socketio-chat/pkg/config"
	"socketio-chat/pkg/engineio"
	"socketio-chat/pkg/forward"
	"socketio-chat/pkg/httpserver"
	"socketio-chat/pkg/socketio"
)

// chatParts is the chat with everything below it.
type chatParts struct {
	io      *socketio.Server
	chat    *chat.Gateway
	cluster *cluster           // nil without Redis
	forward *forward.Forwarder // nil without Redis, or when it is off
	limiter *admission.Limiter
	auth    *authParts  // nil: everybody may join
	admin   *adminui.UI // nil: off
	log     *slog.Logger
}

// releaseTimeout bounds what is left to do for clients after a drain: keeping what they
// need to go on elsewhere.
const releaseTimeout = 2 * time.Second

// newChat puts the chat together as configured. With a Redis it begins to join the
// cluster, and does not wait for that. The error is an address that is taken.
func newChat(cfg config.Config, log *slog.Logger) (*chatParts, error) {
	c := &chatParts{log: log}
	options := socketio.Options{
		Engine: engineio.Options{
			PingInterval:   cfg.Engine.PingInterval,
			PingTimeout:    cfg.Engine.PingTimeout,
			UpgradeTimeout: cfg.Engine.UpgradeTimeout,
			MaxPayload:     cfg.Engine.MaxPayload,
			QueueBytes:     cfg.Engine.QueueBytes,
			Transports:     cfg.Engine.Transports,
			Origins:        cfg.Engine.Origins,
			Cookie:         sessionCookie(cfg.Handshake),
		},
		ConnectTimeout: cfg.Engine.ConnectTimeout,
		Recovery:       socketio.Recovery{For: cfg.Recovery.For, Bytes: cfg.Recovery.Bytes},
		Logger:         log,
	}
	c.limiter = limit(cfg, &options, log)
	var err error
	if c.auth, err = newVerifier(cfg.Auth, log); err != nil {
		return nil, err
	}
	if cfg.Redis.Configured() {
		c.cluster = newCluster(cfg.Redis, cfg.Limits.Attachments, log)
		options.Adapter = c.cluster.builder
		if c.forward, err = newForwarder(cfg, c.cluster.client, &options.Engine, log); err != nil {
			c.auth.close()
			return nil, errors.Join(err, c.cluster.close(context.Background()))
		}
	}
	c.io = socketio.NewServer(options)
	chatOptions := chat.Options{JoinNotice: cfg.Chat.JoinNotice, Strict: strict(cfg.Chat), Logger: log}
	c.auth.protect(c.io, &chatOptions, log)
	c.chat = chat.New(c.io, chatOptions)
	if err := c.attachAdmin(cfg.Admin, log); err != nil {
		return nil, errors.Join(err, c.Close(context.Background()))
	}
	if c.forward != nil {
		c.forward.Start(c.Handler(), c.io.Engine())
	}
	return c, nil
}

// Handler answers what comes in below /socket.io/.
func (c *chatParts) Handler() http.Handler { return c.io }

// Checks are the conditions under which this instance should get clients.
func (c *chatParts) Checks() []httpserver.Check {
	checks := c.auth.checks()
	if c.cluster != nil {
		checks = append(checks, httpserver.Check{Name: "redis", Ready: c.cluster.ready})
	}
	return checks
}

// Clients counts the open connections.
func (c *chatParts) Clients() int { return c.io.Engine().Len() }

// Close lets all clients go, then publishes what is queued for other instances and leaves
// the cluster. It may be called again.
func (c *chatParts) Close(ctx context.Context) error {
	c.admin.Close()
	err := c.release(ctx)
	c.auth.close()
	if c.forward != nil { // its clients may have come through others until here
		err = errors.Join(err, c.forward.Close(ctx))
	}
	if c.cluster != nil {
		err = errors.Join(err, c.cluster.close(ctx))
	}
	return err
}

func (c *chatParts) release(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, releaseTimeout)
	defer cancel()
	err := c.io.Close(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		// Clients that are asleep or gone: nothing is wrong with this end of the line.
		c.log.Warn("clients that did not answer were cut off")
		err = nil
	}
	return err
}

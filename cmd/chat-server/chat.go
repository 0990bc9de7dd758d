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
	"socketio-chat/pkg/membudget"
	"socketio-chat/pkg/socketio"
)

// chatParts is the chat with everything below it.
type chatParts struct {
	io      *socketio.Server
	chat    *chat.Gateway
	cluster *cluster           // nil without Redis
	forward *forward.Forwarder // nil without Redis, or when it is off
	limiter *admission.Limiter
	budget  *membudget.Budget // nil: no limit of memory is known
	auth    *authParts        // nil: everybody may join
	admin   *adminui.UI       // nil: off
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
			Protocols:      cfg.Handshake.Protocols,
			NoUpgrades:     cfg.Handshake.NoUpgrades,
			HeadBytes:      cfg.Handshake.HeadBytes,
			Parameters:     cfg.Handshake.Parameters,
			NoIOUring:      cfg.Engine.IOUring == config.IOUringOff,
		},
		ConnectTimeout: cfg.Engine.ConnectTimeout,
		Parser:         socketio.Parser(cfg.Engine.Parser),
		Recovery:       socketio.Recovery{For: cfg.Recovery.For, Bytes: cfg.Recovery.Bytes},
		Logger:         log,
	}
	c.limiter = limit(cfg, &options, log)
	c.budget = c.budgetMemory(cfg.Limits, &options, log)
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
	chatOptions := c.extensions(cfg.Chat, log)
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

// joinTimeout bounds how long clients wait at the start for a Redis that does not answer.
const joinTimeout = 5 * time.Second

// join waits until this instance hears what others say and is found by them, or Redis is out of reach: the adapter and the
// registry say so in the log.
func (c *chatParts) join(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, joinTimeout)
	defer cancel()
	if c.cluster != nil && c.cluster.builder.Join(ctx) == nil && c.forward != nil {
		_ = c.forward.Join(ctx)
	}
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

// Close leaves sessions and queued messages to the other instances, waiting for a Redis that is
// away as long as ctx allows, lets all clients go, and leaves the cluster. What had to be given
// up is logged, not returned: nothing is wrong with this instance. It may be called again.
func (c *chatParts) Close(ctx context.Context) error {
	ctx, cancel := withDeadline(ctx, closeTimeout)
	defer cancel()
	c.admin.Close()
	if c.chat != nil {
		c.chat.Farewell()
	}
	c.handOver(ctx)
	err := c.release(ctx)
	c.auth.close()
	if c.forward != nil { // its clients may have come through others until here
		err = errors.Join(err, excuseLate(c.log, "others could not be told that this instance goes; its entry in the registry ends by itself", c.forward.Close(ctx)))
	}
	c.closeChat(ctx) // may take the time that is left: whatever waits for Redis goes on meanwhile
	if c.cluster != nil {
		err = errors.Join(err, c.cluster.close(ctx))
	}
	return err
}

// withDeadline gives ctx a deadline if it has none.
func withDeadline(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, d)
}

// handOver leaves sessions to the other instances. The last part of the time is kept for what comes
// after it.
func (c *chatParts) handOver(ctx context.Context) {
	if end, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, end.Add(-min(releaseTimeout, time.Until(end)/2)))
		defer cancel()
	}
	if err := c.io.HandOver(ctx); err != nil {
		c.log.Warn("Redis is away; sessions are not left to other instances yet", "sessions", c.io.RecoveryStats().Sessions, "err", err)
	}
}

// release ends the connections that are left. Sessions that could not be handed over are given up
// after one more attempt.
func (c *chatParts) release(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, releaseTimeout/2)
	defer cancel()
	err := c.io.Close(ctx)
	var lost *socketio.HandOverError
	if errors.As(err, &lost) {
		c.log.Warn("sessions were given up: their clients begin anew on other instances", "sessions", lost.Sessions, "err", lost.Err)
		err = nil
	}
	return excuseLate(c.log, "clients that did not answer were cut off", err)
}

// excuseLate logs what was cut off because it did not end in time, and returns all other errors.
// Clients, instances or a Redis that are asleep or gone are no reason to end with a code that
// says that this process has failed.
func excuseLate(log *slog.Logger, consequence string, err error) error {
	if !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	log.Warn(consequence, "err", err)
	return nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"socketio-chat/pkg/config"
	"socketio-chat/pkg/engineio"
	"socketio-chat/pkg/httpserver"
	"socketio-chat/web"
)

// closeTimeout bounds what comes after the drain, unless DRAIN_SECONDS leaves more of it:
// cutting off clients that did not go, leaving their sessions to other instances, and leaving
// the cluster. finishTimeout bounds the last answers to requests. Without a drain all of it
// fits into the ten seconds that Docker gives by default.
const (
	closeTimeout  = 3 * time.Second
	finishTimeout = time.Second
)

// serve runs the chat until ctx is done, then ends it in order: /readyz fails, new
// sessions are refused, the clients' connections are ended, the cluster is left, and the port is
// given back.
func serve(ctx context.Context, cfg config.Config, log *slog.Logger) error {
	tuneMemory(ctx)
	log.Debug("starting", "version", versionLine(), "settings", cfg)
	for _, warning := range cfg.Warnings {
		log.Warn(warning)
	}
	chat, err := newChat(cfg, log)
	if err != nil {
		return err
	}
	// Closing twice does nothing; this one is for a server that never came to listen.
	return errors.Join(serveChat(ctx, cfg, chat, log), chat.Close(context.WithoutCancel(ctx)))
}

// serveChat listens for the chat's clients until ctx is done or listening fails.
func serveChat(ctx context.Context, cfg config.Config, chat *chatParts, log *slog.Logger) error {
	server, err := newHTTPServer(cfg, chat, log)
	if err != nil {
		return err
	}
	board := operate(cfg, chat, server, log)
	chat.join(ctx)
	public, err := httpserver.Listen(ctx, cfg.HTTP.Addr())
	if err != nil {
		return fmt.Errorf("cannot listen (NODE_PORT and HOST say where): %w", err)
	}
	operator, err := listenOperator(cfg, log)
	if err != nil {
		return errors.Join(err, public.Close())
	}

	var serving sync.WaitGroup
	failed := make(chan error, 2)
	serving.Go(func() { failed <- server.Serve(engineio.Lean(public)) })
	trimming, stopTrimming := context.WithCancel(ctx)
	serving.Go(func() { trimMemory(trimming) })
	serving.Go(func() { chat.budget.Run(trimming) })
	attrs := []any{"version", versionText(), "addr", public.Addr().String(), "redis", cfg.Redis.String()}
	if server.HasPage() {
		attrs = append(attrs, "page", pageURL(cfg.HTTP, public))
	}
	if operator != nil {
		serving.Go(func() { failed <- server.ServeOperator(operator) })
		serving.Go(func() { board.Run(trimming) })
		attrs = append(attrs, "metrics", operator.Addr().String())
	}
	log.Info("listening", attrs...)
	if server.HasPage() && logForm(cfg.Log.Format, os.Stderr) == config.LogTerminal {
		log.Info("open " + pageURL(cfg.HTTP, public) + " in a browser; Ctrl-C ends the server")
	}

	select {
	case <-ctx.Done():
		log.Info("shutting down", "clients", chat.Clients())
	case err = <-failed:
	}
	err = errors.Join(err, end(ctx, drainPlanFor(ctx, cfg), chat, server))
	stopTrimming()
	serving.Wait()
	if err == nil {
		log.Info("stopped")
	}
	return err
}

// end ends the chat in order. What is still to go through Redis is given all of the plan's
// time: a Redis that is away may come back in it.
func end(ctx context.Context, plan drainPlan, chat *chatParts, server *httpserver.Server) error {
	latest := time.Now().Add(plan.total())
	server.Drain()
	chat.drain(plan)
	if soonest := time.Now().Add(closeTimeout); latest.Before(soonest) {
		latest = soonest
	}
	ctx, cancel := context.WithDeadline(context.WithoutCancel(ctx), latest.Add(finishTimeout))
	defer cancel()
	err := server.Shutdown(ctx, func(ctx context.Context) error {
		ctx, cancel := context.WithDeadline(ctx, latest)
		defer cancel()
		return chat.Close(ctx)
	})
	return excuseLate(chat.log, "requests that did not end were cut off", err)
}

// newHTTPServer puts the page and the client bundles beside the chat. A binary without
// them still serves clients that bring their own.
func newHTTPServer(cfg config.Config, chat *chatParts, log *slog.Logger) (*httpserver.Server, error) {
	options := httpserver.Options{
		Socket:     chat.Handler(),
		Front:      chat.Front,
		PagePolicy: web.ContentSecurityPolicy,
		Origins:    cfg.Engine.Origins,
		Checks:     chat.Checks(),
		Logger:     log,

		HeaderTimeout: cfg.Limits.HeaderTime,
		BodyTimeout:   cfg.Limits.BodyTime,
		IdleTimeout:   cfg.Limits.IdleTime,
		MaxIdle:       cfg.Limits.Idle,
		NoClient:      !cfg.HTTP.ServeClient,
		OperatorHosts: operatorHosts(cfg.HTTP),
	}
	if err := addPage(&options, cfg.Chat.Title); errors.Is(err, web.ErrNotBuilt) {
		log.Warn(err.Error())
	} else if err != nil {
		return nil, err
	}
	return httpserver.New(options)
}

// addPage puts the page and the client bundles into the options, as far as they are there.
func addPage(options *httpserver.Options, title string) error {
	var errPage, errClient error
	options.Page, errPage = web.Page(title)
	options.Client, options.ClientVersion, errClient = web.Client()
	if errors.Is(errPage, web.ErrNotBuilt) && errors.Is(errClient, web.ErrNotBuilt) {
		return web.ErrNotBuilt // said once
	}
	return errors.Join(errPage, errClient)
}

// listenOperator opens the operators' address; nil without an error means none. That the
// default is taken, by a second instance on the machine, is no reason not to serve.
func listenOperator(cfg config.Config, log *slog.Logger) (net.Listener, error) {
	if cfg.HTTP.MetricsAddr == "" {
		return nil, nil
	}
	l, err := net.Listen("tcp", cfg.HTTP.MetricsAddr)
	if err == nil {
		return l, nil
	}
	if cfg.IsSet("METRICS_ADDR") {
		return nil, fmt.Errorf("cannot listen (METRICS_ADDR says where): %w", err)
	}
	log.Warn("no address for operators; METRICS_ADDR can name another", "error", err)
	return nil, nil
}

// pageURL is where a browser on this machine finds the page.
func pageURL(h config.HTTP, l net.Listener) string {
	if addr, ok := l.Addr().(*net.TCPAddr); ok {
		h.Port = addr.Port // it may have been 0
	}
	return "http://" + reachable(h) + "/"
}

package socketio

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/zishang520/engine.io/v2/config"
	"github.com/zishang520/engine.io/v2/engine"
	"github.com/zishang520/engine.io/v2/transports"
	"github.com/zishang520/engine.io/v2/types"
	"github.com/zishang520/engine.io/v2/utils"

	"socketio-chat/pkg/engineio"
)

// engineServer is the engine.BaseServer that the library's Server is bound to. It tells what there
// is to tell about the engine; what configures the library's own engine does nothing.
type engineServer struct {
	emitter
	server *Server
}

var _ engine.BaseServer = (*engineServer)(nil)

// closeGrace is how long IO().Close lets clients take what is queued for them.
const closeGrace = time.Second

// Opts returns a copy of the options in effect.
func (e *engineServer) Opts() config.ServerOptionsInterface {
	o := e.server.opts.Engine
	c := config.DefaultServerOptions()
	c.SetPingInterval(cmp.Or(o.PingInterval, engineio.DefaultPingInterval))
	c.SetPingTimeout(cmp.Or(o.PingTimeout, engineio.DefaultPingTimeout))
	c.SetUpgradeTimeout(cmp.Or(o.UpgradeTimeout, engineio.DefaultUpgradeTimeout))
	c.SetMaxHttpBufferSize(cmp.Or(o.MaxPayload, engineio.DefaultMaxPayload))
	c.SetTransports(types.NewSet(e.transports()...))
	c.SetAllowUpgrades(!o.NoUpgrades)
	c.SetAllowEIO3(len(o.Protocols) == 0 || slices.Contains(o.Protocols, 3))
	return c
}

func (e *engineServer) transports() []string {
	if t := e.server.opts.Engine.Transports; len(t) > 0 {
		return t
	}
	return []string{engineio.Polling, engineio.WebSocket}
}

// Clients returns a snapshot of the open connections.
func (e *engineServer) Clients() *types.Map[string, engine.Socket] {
	m := &types.Map[string, engine.Socket]{}
	for _, c := range e.server.snapshot() {
		m.Store(c.Id(), c)
	}
	return m
}

// ClientsCount is the number of open connections, joined to a namespace or not.
func (e *engineServer) ClientsCount() uint64 { return uint64(e.server.eio.Len()) }

// Upgrades lists what a transport may be upgraded to.
func (e *engineServer) Upgrades(from string) *types.Set[string] {
	to := types.NewSet[string]()
	for _, t := range e.transports() {
		if from == engineio.Polling && t == engineio.WebSocket && !e.server.opts.Engine.NoUpgrades {
			to.Add(t)
		}
	}
	return to
}

// Close closes all connections, with a second for what is queued. It may be called again.
// [Server.Close] is the one with a deadline of the caller's.
func (e *engineServer) Close() engine.BaseServer {
	if !e.server.closing.Load() {
		ctx, cancel := context.WithTimeout(context.Background(), closeGrace)
		defer cancel()
		if err := e.server.eio.Close(ctx); err != nil {
			e.server.log.Warn("connections were cut while closing", slog.Any("error", err))
		}
	}
	return e
}

// ComputePath returns the usual path; the server is mounted by the code that calls its ServeHTTP.
func (e *engineServer) ComputePath(config.AttachOptionsInterface) string { return "/socket.io/" }

// GenerateId returns an id as the engine makes them.
func (e *engineServer) GenerateId(*types.HttpContext) (string, error) { //nolint:revive // the library's name
	if newID := e.server.opts.Engine.NewID; newID != nil {
		return newID(), nil
	}
	return utils.Base64Id().GenerateId()
}

// Verify lets everything pass: engineio verifies requests, engineio.Options.Allow is the hook.
func (e *engineServer) Verify(*types.HttpContext, bool) (*types.CodeMessage, map[string]any) {
	return nil, nil
}

// Use is not supported, and says so in the log: wrap [Server.ServeHTTP] in a handler.
func (e *engineServer) Use(engine.Middleware) {
	e.server.log.Error("engine middleware ignored: wrap the server's ServeHTTP in an http.Handler instead")
}

// Middlewares returns none; ApplyMiddlewares goes on at once.
func (e *engineServer) Middlewares() []engine.Middleware { return nil }
func (e *engineServer) ApplyMiddlewares(_ *types.HttpContext, next func(error)) {
	next(nil)
}

// Handshake and CreateTransport refuse: connections come through ServeHTTP only.
func (e *engineServer) Handshake(string, *types.HttpContext) (*types.CodeMessage, transports.Transport) {
	return &types.CodeMessage{Code: 3, Message: "Bad request"}, nil
}
func (e *engineServer) CreateTransport(string, *types.HttpContext) (transports.Transport, error) {
	return nil, http.ErrNotSupported
}

func (e *engineServer) Prototype(engine.BaseServer) {}
func (e *engineServer) Proto() engine.BaseServer    { return e }
func (e *engineServer) Construct(any)               {}
func (e *engineServer) Init()                       {}
func (e *engineServer) Cleanup()                    {}

package main

import (
	"log/slog"

	"socketio-chat/pkg/admission"
	"socketio-chat/pkg/chat"
	"socketio-chat/pkg/config"
	"socketio-chat/pkg/socketio"
)

// limit puts the configured bounds into options. Bounds of one address hold for private
// and loopback addresses only when somebody asked for them: clients there are most often
// proxies, which have everybody's connections.
func limit(cfg config.Config, options *socketio.Options, log *slog.Logger) *admission.Limiter {
	l := cfg.Limits
	limiter := admission.New(admission.Options{
		Connections:                   l.Connections,
		PerAddress:                    l.AddressConnections,
		HandshakesPerSecond:           l.Handshakes,
		HandshakesPerSecondPerAddress: l.AddressHandshakes,
		Proxies:                       l.Proxies,
		ProxyHeader:                   string(l.ProxyHeader),
		PrivateConnections:            cfg.IsSet("MAX_CONNECTIONS_PER_ADDRESS"),
		PrivateHandshakes:             cfg.IsSet("HANDSHAKES_PER_SECOND_PER_ADDRESS"),
		Logger:                        log,
	})
	options.Engine.Allow, options.Gate = limiter.Allow, limiter
	options.Engine.BodyTimeout = l.BodyTime
	if options.Engine.ControlFrames = l.ControlFrames; l.ControlFrames == 0 {
		options.Engine.ControlFrames = -1 // no bound
	}
	options.Limits = socketio.Limits{
		MessagesPerSecond:   l.Messages,
		MessageBurst:        l.MessageBurst,
		BytesPerSecond:      l.Bytes,
		ByteBurst:           l.ByteBurst,
		DeliveriesPerSecond: l.Deliveries,
		Attachments:         l.Attachments,
		AttachmentTimeout:   l.AttachmentTime,
		Arguments:           l.Arguments,
		AuthBytes:           l.AuthBytes,
		Namespaces:          l.Namespaces,
		Rooms:               l.Rooms,
	}
	return limiter
}

// strict is what messages have to be like; nil: like anything.
func strict(c config.Chat) *chat.Strict {
	if !c.Strict {
		return nil
	}
	return &chat.Strict{NameLength: c.NameLength, TextLength: c.TextLength}
}

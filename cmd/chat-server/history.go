package main

import (
	"context"
	"log/slog"

	"socketio-chat/pkg/chat"
	"socketio-chat/pkg/chat/history"
	"socketio-chat/pkg/config"
)

// extensions are what clients may ask the chat for.
func (c *chatParts) extensions(cfg config.Chat, log *slog.Logger) chat.Options {
	options := chat.Options{
		JoinNotice: cfg.JoinNotice, Strict: strict(cfg), Presence: cfg.Presence, Rooms: cfg.Rooms, History: c.keptMessages(cfg, log), Logger: log,
	}
	if c.cluster != nil {
		options.Joined = func() bool { return c.cluster.builder.Status().Joined }
	}
	return options
}

// keptMessages is where messages are kept; nowhere unless it is configured.
func (c *chatParts) keptMessages(cfg config.Chat, log *slog.Logger) chat.History {
	if cfg.History == 0 {
		return chat.History{}
	}
	limits := history.Limits{Count: cfg.History, Bytes: cfg.HistoryBytes, Age: cfg.HistoryAge}
	if c.cluster == nil {
		return chat.History{Store: history.NewMemory(limits), Limits: limits}
	}
	return chat.History{Store: history.NewRedis(history.RedisOptions{Client: c.cluster.client, Limits: limits, Logger: log}), Limits: limits}
}

// closeChat waits until what was said is in the history, as long as ctx allows.
func (c *chatParts) closeChat(ctx context.Context) {
	if c.chat == nil {
		return
	}
	if err := c.chat.Close(ctx); err != nil {
		c.log.Warn("messages are not in the history: Redis did not take them in time", "err", err)
	}
}

package main

import (
	"context"
	"log/slog"
	"net/http"

	"socketio-chat/pkg/config"
	"socketio-chat/pkg/httpserver"
)

// chatParts is the chat with everything below it.
type chatParts struct{}

func newChat(config.Config, *slog.Logger) (*chatParts, error) { return &chatParts{}, nil }

func (c *chatParts) Handler() http.Handler       { return http.NotFoundHandler() }
func (c *chatParts) Checks() []httpserver.Check  { return nil }
func (c *chatParts) Clients() int                { return 0 }
func (c *chatParts) Close(context.Context) error { return nil }

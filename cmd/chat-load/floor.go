//go:build linux

package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"os"

	"socketio-chat/cmd/chat-load/bench/floor"
)

// runFloor serves the bench's reference, with the environment of the other servers.
func runFloor(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if err := parse(flag.NewFlagSet("chat-load floor", flag.ContinueOnError), args, stdout, floorUsage); err != nil {
		return err
	}
	port := os.Getenv("NODE_PORT")
	if port == "" {
		port = "3000"
	}
	ln, err := net.Listen("tcp", net.JoinHostPort(os.Getenv("HOST"), port))
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	fmt.Fprintln(stderr, "listening on", ln.Addr())
	return floor.New(os.Getenv("CHAT_JOIN_NOTICE") != "false").Serve(ctx, ln)
}

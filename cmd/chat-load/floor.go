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
	"socketio-chat/pkg/uring"
)

// runFloor serves the bench's reference, with the environment of the other servers.
func runFloor(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	fs := flag.NewFlagSet("chat-load floor", flag.ContinueOnError)
	batched := fs.Bool("io-uring", false, "")
	if err := parse(fs, args, stdout, floorUsage); err != nil {
		return err
	}
	var pool *uring.Pool
	if *batched {
		var err error
		if pool, err = uring.Open(1); err != nil {
			return fmt.Errorf("serve by io_uring: %w", err)
		}
		defer pool.Close()
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
	return floor.New(os.Getenv("CHAT_JOIN_NOTICE") != "false", pool).Serve(ctx, ln)
}

// Command nats serves NATS over WebSocket, with the server's own package. It is a neighbour in the bench of
// cmd/chat-load, and reads HOST and NODE_PORT as the others do.
package main

import (
	"fmt"
	"os"
	"strconv"

	"github.com/nats-io/nats-server/v2/server"
)

func main() {
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve() error {
	port, err := strconv.Atoi(os.Getenv("NODE_PORT"))
	if err != nil {
		return fmt.Errorf("NODE_PORT: %w", err)
	}
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, NoLog: true, NoSigs: true,
		Websocket: server.WebsocketOpts{Host: os.Getenv("HOST"), Port: port, NoTLS: true},
	})
	if err != nil {
		return err
	}
	s.Start()
	s.WaitForShutdown()
	return nil
}

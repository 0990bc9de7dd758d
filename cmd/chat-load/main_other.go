//go:build !linux

// Command chat-load puts load on chat servers. It needs Linux: epoll drives its clients, and /proc tells of the servers.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "chat-load needs Linux")
	os.Exit(1)
}

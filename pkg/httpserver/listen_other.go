//go:build !linux

package httpserver

import "net"

func listenConfig() *net.ListenConfig { return new(net.ListenConfig) }

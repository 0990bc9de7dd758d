//go:build !unix

package httpserver

import "net"

// descriptors is not known here.
func descriptors() int { return 0 }

func freeDescriptor(net.Conn) int32 { return -1 }

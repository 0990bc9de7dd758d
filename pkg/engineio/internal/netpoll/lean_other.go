//go:build !linux

package netpoll

import (
	"errors"
	"net"
	"syscall"
)

// A Lean does not exist here.
type Lean struct{ net.Conn }

// Slim reports false.
func Slim(net.Conn) (*Lean, bool) { return nil, false }

// Thicken is never called here.
func (l *Lean) Thicken() net.Conn { return l.Conn }

// SyscallConn is never called here.
func (l *Lean) SyscallConn() (syscall.RawConn, error) { return nil, errors.ErrUnsupported }

// Listen returns l.
func Listen(l net.Listener) net.Listener { return l }

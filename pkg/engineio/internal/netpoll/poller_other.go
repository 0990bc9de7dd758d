//go:build !linux

package netpoll

import "syscall"

// A Poller waits for nothing here: each reader keeps its goroutine.
type Poller struct{ start func(func()) }

// New returns a Poller to which nothing can be added.
func New(start func(func()), _ Ring) *Poller { return &Poller{start} }

// Inject does nothing.
func (*Poller) Inject(func() error) {}

// Add reports false.
func (*Poller) Add(*Parking, syscall.RawConn) bool { return false }

// Close does nothing.
func (*Poller) Close() {}

func (*Poller) remove(*Parking)     {}
func (*Poller) release(*Parking)    {}
func (*Poller) each(func(*Parking)) {}

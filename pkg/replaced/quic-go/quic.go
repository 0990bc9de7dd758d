// Package quic stands in for github.com/quic-go/quic-go, which this server does not need: see ../README.md.
package quic

// Config is the type of parameters that the libraries pass on.
type Config struct{}

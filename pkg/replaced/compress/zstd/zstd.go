// Package zstd stands in for github.com/klauspost/compress/zstd, which this server does not need: see ../../README.md.
package zstd

import (
	"errors"
	"io"
)

// ErrNotLinked is what NewWriter and every Encoder return.
var ErrNotLinked = errors.New("zstd is not linked into this program: see pkg/replaced")

// EncoderLevel is how hard an encoder tries.
type EncoderLevel int

// SpeedDefault has the value that it has in the module this one replaces.
const SpeedDefault EncoderLevel = 2

// EOption sets up an Encoder.
type EOption func(*Encoder) error

// WithEncoderLevel changes nothing.
func WithEncoderLevel(EncoderLevel) EOption { return func(*Encoder) error { return nil } }

// Encoder compresses nothing.
type Encoder struct{}

// NewWriter returns ErrNotLinked.
func NewWriter(io.Writer, ...EOption) (*Encoder, error) { return nil, ErrNotLinked }

// Write returns ErrNotLinked.
func (*Encoder) Write([]byte) (int, error) { return 0, ErrNotLinked }

// Close returns ErrNotLinked.
func (*Encoder) Close() error { return ErrNotLinked }

// Package brotli stands in for github.com/andybalholm/brotli, which this server does not need: see ../README.md.
package brotli

import (
	"errors"
	"io"
)

// DefaultCompression has the value that it has in the module this one replaces.
const DefaultCompression = 6

// ErrNotLinked is what every Writer returns.
var ErrNotLinked = errors.New("brotli is not linked into this program: see pkg/replaced")

// Writer compresses nothing.
type Writer struct{}

// NewWriterLevel returns a Writer that refuses to write.
func NewWriterLevel(io.Writer, int) *Writer { return &Writer{} }

// Write returns ErrNotLinked.
func (*Writer) Write([]byte) (int, error) { return 0, ErrNotLinked }

// Close returns ErrNotLinked.
func (*Writer) Close() error { return ErrNotLinked }

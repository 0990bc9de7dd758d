package stack_test

import (
	"testing"

	"socketio-chat/pkg/stack"
)

// BenchmarkGoroutine is a short goroutine that needs 4 KB of stack, a little at a time.
func BenchmarkGoroutine(b *testing.B) {
	for _, tt := range []struct {
		name  string
		begin func()
	}{{"as it comes", func() {}}, {"grown at once", stack.Grow}} {
		b.Run(tt.name, func(b *testing.B) {
			done := make(chan byte)
			for b.Loop() {
				go func() {
					tt.begin()
					done <- deep(32)
				}()
				<-done
			}
		})
	}
}

//go:noinline
func deep(n int) byte {
	var frame [128]byte
	frame[n] = byte(n)
	if n == 0 {
		return frame[0]
	}
	return deep(n-1) + frame[n]
}

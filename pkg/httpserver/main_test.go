package httpserver

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain fails when a test left a goroutine behind.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

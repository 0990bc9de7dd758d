package engineio

import (
	"testing"

	"go.uber.org/goleak"
)

// No goroutine may be left when all tests are over: every one that the package
// starts has a known end.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

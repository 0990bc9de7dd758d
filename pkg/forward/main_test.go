package forward

import (
	"testing"

	"go.uber.org/goleak"
)

// Every goroutine that the package starts has a known end. Those of go-redis's
// pool end with its client, a little later.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

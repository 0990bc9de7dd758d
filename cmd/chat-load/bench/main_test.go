//go:build linux

package bench

import (
	"fmt"
	"net"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// serverEnv makes the test binary the server that its tests start and stop.
const serverEnv = "BENCH_TEST_SERVER"

func TestMain(m *testing.M) {
	if os.Getenv(serverEnv) != "" {
		fmt.Println(serve())
		os.Exit(1)
	}
	goleak.VerifyTestMain(m)
}

// serve accepts connections where it is told to, until it is stopped.
func serve() error {
	ln, err := net.Listen("tcp", net.JoinHostPort(os.Getenv("HOST"), os.Getenv("NODE_PORT")))
	if err != nil {
		return err
	}
	for {
		nc, err := ln.Accept()
		if err != nil {
			return err
		}
		nc.Close()
	}
}

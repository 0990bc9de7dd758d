//go:build unix

package main

import (
	"fmt"
	"os"
	"syscall"
)

const exeSuffix = ""

// become replaces this process by the program, so that signals and the exit code are its own.
func become(binary string, args []string) error {
	err := syscall.Exec(binary, append([]string{binary}, args...), os.Environ())
	return fmt.Errorf("cannot run %s: %w", binary, err)
}

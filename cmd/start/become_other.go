//go:build !unix

package main

import (
	"errors"
	"os"
	"os/exec"
)

const exeSuffix = ".exe"

// become runs the program and ends with its exit code.
func become(binary string, args []string) error {
	command := exec.Command(binary, args...)
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr
	err := command.Run()
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		os.Exit(failed.ExitCode())
	}
	return err
}

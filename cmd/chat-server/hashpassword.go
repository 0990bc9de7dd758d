package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/crypto/bcrypt"
)

const (
	hashCost    = 12 // 0.2 s a login, within what ADMIN_PASSWORD_HASH accepts
	maxPassword = 72 // bytes; bcrypt knows no more
)

// hashPassword reads a line and writes its hash as ADMIN_PASSWORD_HASH takes it.
func hashPassword(ctx context.Context, stdin io.Reader, stdout, stderr io.Writer) error {
	if isTerminal(stderr) {
		fmt.Fprint(stderr, "Password, which is shown while you type: ")
	}
	password, err := readLine(ctx, stdin)
	if err != nil {
		return fmt.Errorf("hash-password: %w", err)
	}
	switch {
	case password == "":
		return errors.New("hash-password: there is no password on standard input")
	case len(password) > maxPassword:
		return fmt.Errorf("hash-password: a password has at most %d bytes, this one %d", maxPassword, len(password))
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(password), hashCost)
	if err != nil {
		return fmt.Errorf("hash-password: %w", err)
	}
	_, err = fmt.Fprintf(stdout, "%s\n", hash)
	if isTerminal(stderr) {
		fmt.Fprintf(stderr, "In .env, between single quotes: ADMIN_PASSWORD_HASH='…'. In a Compose file, write $$ for each $.\n")
	}
	return err
}

// readLine reads a line until ctx ends. The goroutine of a read that is never answered ends with the process.
func readLine(ctx context.Context, r io.Reader) (string, error) {
	type result struct {
		line string
		err  error
	}
	results := make(chan result, 1)
	go func() {
		line, err := bufio.NewReader(io.LimitReader(r, 4096)).ReadString('\n')
		results <- result{line, err}
	}()
	select {
	case <-ctx.Done():
		return "", context.Cause(ctx)
	case got := <-results:
		if got.err != nil && !errors.Is(got.err, io.EOF) {
			return "", got.err
		}
		return strings.TrimRight(got.line, "\r\n"), nil
	}
}

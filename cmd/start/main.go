// Start builds the chat, page and server, says how far it is, and runs it. It is the first command of the README, and needs
// nothing but Go and Node.js:
//
//	go run ./cmd/start                 build what has changed, then serve the chat
//	go run ./cmd/start --version       arguments are those of chat-server
//	go run ./cmd/start build           build only: bin/chat-server
//
// Without Node.js the server is built without its page, and says so. Its imports are few on purpose: what this program
// takes to compile, everybody waits for before the first word.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "start:", err)
		os.Exit(1)
	}
}

// run builds and, unless args say "build", becomes the server.
func run(args []string) error {
	root, err := moduleRoot()
	if err != nil {
		return err
	}
	say := newProgress(os.Stderr)
	if err := buildPage(root, say); err != nil {
		return err
	}
	binary := filepath.Join(root, "bin", "chat-server"+exeSuffix)
	if err := buildServer(root, binary, say); err != nil {
		return err
	}
	if len(args) == 1 && args[0] == "build" {
		return nil
	}
	return become(binary, args)
}

// moduleRoot is the folder of this module's go.mod, seen from the working directory.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if isFile(filepath.Join(dir, "go.mod")) && isFile(filepath.Join(dir, "cmd", "chat-server", "main.go")) {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("this is not the folder of the chat's source code: run the command where go.mod is")
		}
		dir = parent
	}
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}

package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// The oldest Node.js that Vite runs on.
const nodeMajor, nodeMinor = 20, 19

// buildPage brings web/dist up to date, unless it is. Without Node.js it says what that means and goes on.
func buildPage(root string, say *progress) error {
	web := filepath.Join(root, "web")
	sum, err := sourcesSum(web)
	if err != nil {
		return err
	}
	stamp := filepath.Join(root, "bin", ".page.sum") // beside the binary, so that both are removed together
	if isFile(filepath.Join(web, "dist", "page", "index.html")) && isFile(filepath.Join(web, "dist", "client.version")) {
		if built, err := os.ReadFile(stamp); err == nil && string(built) == sum {
			return nil
		}
	}
	if missing := missingNode(); missing != "" {
		say.note("page    " + missing + ": the server is built without a new page; see https://nodejs.org")
		return nil
	}
	if packagesAreOld(web) {
		s := say.begin("page", "installing its npm packages, some 50 MB")
		if err := npm(web, "ci", "--omit=dev", "--no-audit", "--no-fund", "--loglevel=error"); err != nil {
			s.end("npm ci failed")
			return err
		}
		s.end("npm packages installed")
	}
	s := say.begin("page", "building")
	if err := npm(web, "run", "--silent", "build"); err != nil {
		s.end("npm run build failed")
		return err
	}
	s.end("built")
	if err := os.MkdirAll(filepath.Dir(stamp), 0o755); err != nil {
		return err
	}
	return os.WriteFile(stamp, []byte(sum), 0o644)
}

// missingNode says what is wrong with this machine's Node.js, or nothing.
func missingNode() string {
	if _, err := exec.LookPath("npm"); err != nil {
		return "npm is not installed"
	}
	out, err := exec.Command("node", "--version").Output()
	if err != nil {
		return "Node.js is not installed"
	}
	version := strings.TrimSpace(string(out))
	parts := strings.Split(strings.TrimPrefix(version, "v"), ".")
	if len(parts) < 2 {
		return ""
	}
	major, _ := strconv.Atoi(parts[0])
	minor, _ := strconv.Atoi(parts[1])
	if major < nodeMajor || major == nodeMajor && minor < nodeMinor {
		return fmt.Sprintf("Node.js %s is too old, the page needs %d.%d", version, nodeMajor, nodeMinor)
	}
	return ""
}

// packagesAreOld tells whether npm has to install: never did so, or not since the list of packages changed.
func packagesAreOld(web string) bool {
	installed, err := os.Stat(filepath.Join(web, "node_modules", ".package-lock.json"))
	if err != nil {
		return true
	}
	wanted, err := os.Stat(filepath.Join(web, "package-lock.json"))
	return err == nil && wanted.ModTime().After(installed.ModTime())
}

// npm runs npm in the page's folder and shows what it said if it fails.
func npm(web string, args ...string) error {
	command := exec.Command("npm", args...)
	command.Dir = web
	out, err := command.CombinedOutput()
	if err != nil {
		return fmt.Errorf("npm %s in web: %w\n%s", strings.Join(args, " "), err, bytes.TrimSpace(out))
	}
	return nil
}

// sourcesSum is a checksum of the files that the page is made of.
func sourcesSum(web string) (string, error) {
	hash := sha256.New()
	err := filepath.WalkDir(web, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(web, path)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			switch name {
			case "node_modules", "dist", "e2e", "docs":
				return filepath.SkipDir
			}
			return nil
		}
		switch filepath.Ext(name) {
		case ".go", ".md":
			return nil
		}
		if strings.HasSuffix(name, ".test.ts") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		fmt.Fprintf(hash, "%s %d\n", filepath.ToSlash(name), len(text))
		hash.Write(text)
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("cannot read the page's sources: %w", err)
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

package web

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// ContentSecurityPolicy is the policy the page is written for and tested under: scripts,
// styles, pictures and connections of its own origin only, nothing inline, no eval.
// connect-src 'self' covers the WebSocket of the same host and port in every browser
// that Vite 8 builds for.
const ContentSecurityPolicy = "default-src 'self'; base-uri 'none'; form-action 'none'; " +
	"frame-ancestors 'none'; object-src 'none'"

// ErrNotBuilt means that the binary was compiled before the front-end build ran. Its text
// is the remedy and may be shown to the person who asked for the page.
var ErrNotBuilt = errors.New("this server was compiled without its page and without the client script; with Node.js 20.19 or newer, `go run ./cmd/start` in the source folder builds them in")

// dist is empty but for .gitkeep until the front-end build has run; "all:" makes that
// dotfile match, without which the pattern would fail to compile in a fresh clone.
//
//go:embed all:dist
var dist embed.FS

// clientFiles are the bundles Node's server answers for under /socket.io/, each with a
// source map of the same name and ".map" after it.
var clientFiles = [...]string{
	"socket.io.js",
	"socket.io.min.js",
	"socket.io.esm.min.js",
	"socket.io.msgpack.min.js",
}

// Page returns the built chat page: index.html at its root, its icons and manifest, and the files
// that index.html refers to under assets/. A title is what the chat is called, as plain text;
// empty: "Chat", in the reader's language. The error is ErrNotBuilt or wraps it.
func Page(title string) (fs.FS, error) {
	page, err := pageIn(dist)
	if err != nil {
		return nil, err
	}
	return titled(page, title)
}

// Client returns the Socket.IO client bundles, flat, with their source maps, and the
// version of the npm package they come from, such as "4.8.4". Every bundle and every map
// is there when the error is nil; otherwise the error is ErrNotBuilt or wraps it.
func Client() (files fs.FS, version string, err error) {
	return clientIn(dist)
}

func pageIn(root fs.FS) (fs.FS, error) {
	if err := require(root, "dist/page/index.html"); err != nil {
		return nil, err
	}
	return fs.Sub(root, "dist/page")
}

func clientIn(root fs.FS) (fs.FS, string, error) {
	for _, name := range clientFiles {
		if err := require(root, "dist/client/"+name, "dist/client/"+name+".map"); err != nil {
			return nil, "", err
		}
	}
	version, err := fs.ReadFile(root, "dist/client.version")
	if err != nil || len(strings.TrimSpace(string(version))) == 0 {
		return nil, "", fmt.Errorf("%w (dist/client.version is missing or empty)", ErrNotBuilt)
	}
	files, err := fs.Sub(root, "dist/client")
	return files, strings.TrimSpace(string(version)), err
}

// require tells whether the build left all of names. A part that is missing after a
// build that did run is named: it is a broken build, not a fresh clone.
func require(root fs.FS, names ...string) error {
	for _, name := range names {
		info, err := fs.Stat(root, name)
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%w (%s is missing)", ErrNotBuilt, name)
		}
		if err != nil {
			return fmt.Errorf("read embedded %s: %w", name, err)
		}
		if !info.Mode().IsRegular() || info.Size() == 0 {
			return fmt.Errorf("%w (%s is empty)", ErrNotBuilt, name)
		}
	}
	return nil
}

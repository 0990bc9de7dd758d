// Package web holds the files a browser gets from the chat server: the chat page
// and the Socket.IO client bundles. Both come out of the front-end build beside this
// file and travel inside the binary.
//
//	web/index.html, web/src ──── vite build ────────► web/dist/page ──────┐
//	                                                                      ├─ go:embed ─► Page, Client
//	npm socket.io-client/dist ── scripts/client.mjs ► web/dist/client ────┤
//	                                                  web/dist/client.version
//
// # How it is used
//
// The build runs once, before the Go build (its output is not committed):
//
//	cd web && npm ci --omit=dev && npm run build
//
// or, with the server, go run ./cmd/start build.
//
// A fresh clone compiles without it. Page and Client then answer [ErrNotBuilt], and
// the caller decides what to say; the chat itself does not need them.
//
//	page, err := web.Page("Our team")    // index.html, icons, manifest, assets/…
//	client, version, err := web.Client() // socket.io.js and its kin, "4.8.4"
//
// Names under assets/ carry a hash of their content and may be cached for ever. Every
// other name keeps its content only until the next build: serve it for revalidation.
// Embedded files have no modification time, so an ETag is the caller's to make; for the
// client bundles the version is what the Node server uses.
//
// The page asks for nothing outside its own origin and runs under
// [ContentSecurityPolicy], which the caller sends with it.
//
// # Concurrency and limits
//
// All functions may be called from any goroutine; what they return is read-only and
// lives as long as the process. The embedded files add about 1.3 MB to the binary, most
// of it the bundles' source maps.
package web

// Package mount shows how a Socket.IO server is mounted in net/http and in the routers chi, gin and echo: it is an http.Handler, so each takes
// one line. It is a module of its own, so that those routers weigh on nobody else.
package mount

// Package helm holds the chart in socketio-chat and the test that renders it with Helm's
// own engine and decodes the result strictly into the types of the Kubernetes API.
//
// It is a module of its own: programs built on the chat's packages do not want Helm
// and Kubernetes among their dependencies. `task test:chart` runs the test.
package helm

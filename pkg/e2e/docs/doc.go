// Package docs tests the documentation: links lead somewhere, the README stays short, its commands and code do what they say,
// and the samples for proxies and systemd are accepted by the programs they are for.
package docs

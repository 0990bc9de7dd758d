package main

import (
	"cmp"
	"fmt"
	"runtime/debug"
)

// version is set by the linker: -ldflags "-X main.version=1.2.3".
var version string

// versionText is the version alone.
func versionText() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return cmp.Or(version, info.Main.Version, "unknown")
	}
	return cmp.Or(version, "unknown")
}

// versionLine names the version, the commit if the build knows it, and the Go release.
func versionLine() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "chat-server " + cmp.Or(version, "unknown")
	}
	var revision, modified string
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = ", commit " + s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			modified = " with changes"
		}
	}
	return fmt.Sprintf("chat-server %s (%s%s%s)", cmp.Or(version, info.Main.Version, "unknown"), info.GoVersion, revision, modified)
}

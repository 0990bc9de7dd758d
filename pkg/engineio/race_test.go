//go:build race

package engineio

// underRace tells that the race detector is on, which makes work some ten times as long.
const underRace = true

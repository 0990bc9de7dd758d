//go:build !race

package engineio

const underRace = false

//go:build race

package main

// raceDetector: a process under it needs several times the memory.
const raceDetector = true

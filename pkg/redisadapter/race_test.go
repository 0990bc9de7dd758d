//go:build race

package redisadapter

func init() { raceEnabled = true }

package config

import "time"

// Recovery is connection state recovery: what clients that come back find.
type Recovery struct {
	For   time.Duration // how long they may be away; 0: none of it
	Bytes int64         // what is kept for them
}

// recoverySection is a part of the table.
func recoverySection() section {
	return section{"Recovery", []variable{
		{"RECOVERY_SECONDS", "0", "How long a client 4.6 or later may be disconnected and still get what it missed; 0 is off. Every event to such a client then carries its offset as an extra last argument.",
			seconds(func(c *Config) *time.Duration { return &c.Recovery.For }, 0, anHour)},
		{"RECOVERY_BYTES", "67108864", "Memory for events that clients may have missed. A client that missed more starts a new session.",
			integer(func(c *Config) *int64 { return &c.Recovery.Bytes }, 65536, 16*1024*mebi)},
	}}
}

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
		{"RECOVERY_SECONDS", "0", "How long a client of 4.6 or later may be away and get all it missed; 0 is off. Its events then have one more argument.",
			seconds(func(c *Config) *time.Duration { return &c.Recovery.For }, 0, anHour)},
		{"RECOVERY_BYTES", "67108864", "How much is kept for that; who would need more begins anew.",
			integer(func(c *Config) *int64 { return &c.Recovery.Bytes }, 65536, 16*1024*mebi)},
	}}
}

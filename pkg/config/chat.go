package config

import "time"

// Chat is the behaviour of the gateway.
type Chat struct {
	Title string // of the page; empty: the page's own

	JoinNotice bool // tell everybody when somebody comes

	Strict     bool // messages are objects with a string name and a string text
	NameLength int  // most characters of the two then; 0: any number
	TextLength int

	History      int           // messages that are kept of each room; 0: none
	HistoryAge   time.Duration // for how long
	HistoryBytes int64         // of all rooms

	Presence bool // clients may ask who is here, and who types
	Rooms    bool // clients may join rooms and, with tokens, write to one person
}

// chatSection is a part of the table.
func chatSection() section {
	return section{"Chat", []variable{
		{"CHAT_TITLE", "", "Name of the chat on its page: heading, browser tab, icon. Empty: Chat.",
			line(func(c *Config) *string { return &c.Chat.Title }, 100)},
		{"CHAT_JOIN_NOTICE", "true", "Announce each client that joins (n clients that join cause n²/2 deliveries).",
			boolean(func(c *Config) *bool { return &c.Chat.JoinNotice })},
		{"CHAT_STRICT", "false", "Refuse messages that are not objects with a string name and a string text.",
			boolean(func(c *Config) *bool { return &c.Chat.Strict })},
		{"CHAT_NAME_LENGTH", "100", "With CHAT_STRICT: longest name in characters; 0 is no limit.",
			integer(func(c *Config) *int { return &c.Chat.NameLength }, 0, 1_000_000)},
		{"CHAT_TEXT_LENGTH", "10000", "With CHAT_STRICT: longest text in characters; 0 is no limit.",
			integer(func(c *Config) *int { return &c.Chat.TextLength }, 0, 1_000_000_000)},
		{"CHAT_HISTORY", "0", "Messages kept for clients that ask what was said. 0 keeps none.",
			integer(func(c *Config) *int { return &c.Chat.History }, 0, 100_000)},
		{"CHAT_HISTORY_HOURS", "24", "With CHAT_HISTORY: how long a message is kept.",
			hours(func(c *Config) *time.Duration { return &c.Chat.HistoryAge }, 366*24)},
		{"CHAT_HISTORY_BYTES", "67108864", "With CHAT_HISTORY: bytes of all messages that are kept.",
			integer(func(c *Config) *int64 { return &c.Chat.HistoryBytes }, 1<<20, 1<<40)},
		{"CHAT_PRESENCE", "true", "Tell clients that ask who is here, and who is typing.",
			boolean(func(c *Config) *bool { return &c.Chat.Presence })},
		{"CHAT_ROOMS", "true", "Let clients that ask join rooms and, where tokens give them names, write to one person.",
			boolean(func(c *Config) *bool { return &c.Chat.Rooms })},
	}}
}

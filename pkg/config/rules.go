package config

// rules are the demands on several variables together. Each returns nil or a problem;
// they run only when every variable by itself is right.
func rules() []func(*Config) *Problem {
	return []func(*Config) *Problem{
		redisOnce,
		redisPair,
		redisUser,
		redisTLSFiles,
		queueHoldsMessage,
		authOneKey,
		adminPair,
	}
}

// queueHoldsMessage: otherwise one message of the largest size, which anybody may send,
// would disconnect everybody who receives it.
func queueHoldsMessage(c *Config) *Problem {
	if c.Engine.QueueBytes >= c.Engine.MaxPayload {
		return nil
	}
	return &Problem{
		Name:    "CLIENT_QUEUE_BYTES and MAX_PAYLOAD_BYTES",
		Message: "a client's queue must hold at least one message of the largest size; raise the first or lower the second",
	}
}

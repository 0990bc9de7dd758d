package metrics

import "socketio-chat/pkg/membudget"

var (
	memoryLimit     = define("chat_memory_limit_bytes", Gauge, "Memory that the process may use: MEMORY_BYTES, GOMEMLIMIT, or the container's limit.")
	memoryUsed      = define("chat_memory_used_bytes", Gauge, "What it uses of it. Near the limit new clients are refused; nearer, those that hold most are disconnected.")
	memoryRefused   = define("chat_memory_refused_total", Counter, "New clients that got 503 because memory was short.")
	memoryShed      = define("chat_memory_shed_total", Counter, "What was let go because memory was short: connections, events kept for recovery, messages for Redis.", "what")
	memoryShedBytes = define("chat_memory_shed_bytes_total", Counter, "Their bytes, estimated.")
)

func (s sink) memory(m membudget.Stats) {
	if m.Limit == 0 {
		return
	}
	s.send(memoryLimit, float64(m.Limit))
	s.send(memoryUsed, float64(m.Used))
	s.count(memoryRefused, m.Refused)
	for what, n := range m.Shed {
		s.count(memoryShed, n, what)
	}
	s.count(memoryShedBytes, m.ShedBytes)
}

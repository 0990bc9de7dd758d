package socketio

// ShedRecovery forgets the oldest of what is kept for clients that come back, about want bytes, and
// returns how many bytes and events that were: clients that would need them begin anew. It is for a
// process that runs out of memory.
func (s *Server) ShedRecovery(want int64) (bytes int64, events int) {
	if s.recovery == nil {
		return 0, 0
	}
	for _, ns := range s.keepingNamespaces() {
		if bytes >= want {
			break
		}
		freed, n := ns.local.shedJournal(want - bytes)
		bytes, events = bytes+freed, events+n
	}
	return bytes, events
}

func (a *LocalAdapter) shedJournal(want int64) (bytes int64, events int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	j := a.journal
	if j == nil {
		return 0, 0
	}
	for before := j.bytes; j.first < len(j.list) && bytes < want; events++ {
		j.pop()
		bytes = before - j.bytes
	}
	if j.first == len(j.list) {
		j.list, j.first = nil, 0
	}
	return bytes, events
}

package redisadapter

// Waiting is how many questions and acknowledgements of this adapter are not over: after all of them it is none.
func (a *Adapter) Waiting() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.gathers) + len(a.acks)
}

package engineio

// Drained returns a channel that is closed when nothing waits for the client any more: everything that was sent has been handed to the
// kernel, or, by polling, written as an answer. It is closed, too, when the connection ends. Something that is sent later starts anew: call
// Drained again.
func (c *Conn) Drained() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.queued == 0 || c.state == stateClosed {
		none := make(chan struct{})
		close(none)
		return none
	}
	if c.drained == nil {
		c.drained = make(chan struct{})
	}
	return c.drained
}

// dequeuedLocked takes bytes that have left, or never will, off what waits.
func (c *Conn) dequeuedLocked(size int64) {
	c.queued -= size
	if c.queued == 0 {
		c.wakeDrainedLocked()
	}
}

func (c *Conn) wakeDrainedLocked() {
	if c.drained != nil {
		close(c.drained)
		c.drained = nil
	}
}

package engineio

// signals are channels that others wait on, made when somebody asks. Conn.mu guards them.
type signals struct {
	done    chan struct{} // closed when the connection is over
	drained chan struct{} // closed when nothing waits for the client, and when it is over
}

// waitFor returns the channel in which one of the signals stands, closed if there is nothing to wait for.
func waitFor(signal *chan struct{}, already bool) <-chan struct{} {
	if already {
		none := make(chan struct{})
		close(none)
		return none
	}
	if *signal == nil {
		*signal = make(chan struct{})
	}
	return *signal
}

// fire closes the channel of a signal, if somebody has asked for it.
func fire(signal *chan struct{}) {
	if *signal != nil {
		close(*signal)
		*signal = nil
	}
}

// Done is closed when the connection is. Receiver.Closed may come later: it
// waits for the Receive that is running.
func (c *Conn) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return waitFor(&c.signals.done, c.life.over())
}

// Drained returns a channel that is closed when nothing waits for the client any more: everything that was sent has been handed to the
// kernel, or, by polling, written as an answer. It is closed, too, when the connection ends. Something that is sent later starts anew: call
// Drained again.
func (c *Conn) Drained() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return waitFor(&c.signals.drained, c.sender.queued == 0 || c.life.over())
}

// dequeuedLocked takes bytes that have left, or never will, off what waits.
func (c *Conn) dequeuedLocked(size int64) {
	if c.sender.dequeue(size) {
		fire(&c.signals.drained)
	}
}

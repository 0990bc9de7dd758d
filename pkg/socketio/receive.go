package socketio

import "github.com/zishang520/socket.io/v2/socket"

// A Received is an event that another instance, a Node server or an emitter has sent to sockets of a namespace.
type Received struct {
	Data          Payload // the array ["event",…]
	Rooms, Except []socket.Room
}

// OnReceive sets what is called with each such event, before sockets of this instance get it, in the order in which they come. It runs on the
// goroutine that reads from the other instances and must not block. Of events to rooms that concern nobody here it may not hear. It should be
// called once, before the server serves; what has come before is not told.
func (ns *Namespace) OnReceive(f func(Received)) {
	if ns.local != nil {
		ns.local.received.Store(&f)
	}
}

// heard tells what listens of an event of another instance.
func (a *LocalAdapter) heard(ev Encoded, opts *socket.BroadcastOptions) {
	received := a.received.Load()
	if received == nil || ev.ID != nil || isVolatile(opts) {
		return
	}
	rooms, except := roomSets(opts)
	guard(a.log, "a broadcast of another instance", func() { (*received)(Received{ev.Data, rooms, except}) })
}

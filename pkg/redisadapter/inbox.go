package redisadapter

import (
	"errors"

	"socketio-chat/pkg/redisadapter/internal/wire"
	"socketio-chat/pkg/socketio"
)

// inbox is what the hub sees of an Adapter.
type inbox struct{ *Adapter }

// Receive handles a message from Redis.
func (i inbox) Receive(channel string, b []byte) {
	a := i.Adapter
	r, err := a.format.Decode(channel, b, a.MayReach)
	a.received(channel, r, err)
}

// ReceiveEntry handles an entry of the stream.
func (i inbox) ReceiveEntry(e *wire.Entry) {
	a := i.Adapter
	r, err := a.format.DecodeEntry(e, a.MayReach)
	a.received("stream", r, err)
}

// received does what a message says, and counts what came of it.
func (a *Adapter) received(channel string, r wire.Received, err error) {
	switch {
	case err != nil:
	case r.Broadcast != nil:
		a.receiveBroadcast(r.Broadcast)
	case r.Request != nil:
		err = a.receiveRequest(r.Request)
	case r.Response != nil:
		err = a.receiveResponse(r.Response)
	}
	switch {
	case err == nil || errors.Is(err, wire.ErrNobodyHere):
		a.hub.Accept()
	case !errors.Is(err, wire.ErrNotForUs):
		a.hub.Reject(channel, err)
	}
}

// receiveBroadcast gives an event of another instance to our sockets.
func (a *Adapter) receiveBroadcast(msg *wire.Broadcast) {
	a.LocalAdapter.BroadcastReceived(socketio.Encoded{Nsp: a.nsp, Data: msg.Data}, msg.Opts, msg.From, msg.Number)
}

// Missed tells that messages before those to come may be lost.
func (i inbox) Missed() { i.sessions.Missed() }

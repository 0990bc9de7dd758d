package redisadapter

import (
	"encoding/json"
	"time"

	"github.com/zishang520/socket.io-go-parser/v2/parser"
	rtypes "github.com/zishang520/socket.io-go-redis/types"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/redisadapter/internal/wire"
	"socketio-chat/pkg/socketio"
)

// AckRequest is a broadcast of ours whose acknowledgements are awaited.
type ackRequest struct {
	clientCount func(uint64)
	answer      func([]socketio.Payload)
	timer       *time.Timer
}

// BroadcastWithAck sends packet to the sockets opts selects on all instances and asks them for
// acknowledgements. clientCount is called for each instance with the number of its sockets, ack for
// each acknowledgement until the timeout in opts (without one, RequestsTimeout). Calls on behalf of
// other instances come on a goroutine of the adapter.
//
// Generation 2 nodes do not know such broadcasts. Worse, an acknowledgement that a generation 4
// node passes on in MessagePack ends them. While there is one, only our own instances are asked;
// the clients of Node nodes get the event without being asked.
func (a *Adapter) BroadcastWithAck(packet *parser.Packet, opts *socket.BroadcastOptions, clientCount func(uint64), ack socket.Ack) {
	count, answer := a.Answers(opts, clientCount, ack)
	a.Ask(packet, opts, count, answer)
}

var _ socketio.Asker = (*Adapter)(nil)

// Ask implements [socketio.Asker].
func (a *Adapter) Ask(packet *parser.Packet, opts *socket.BroadcastOptions, clientCount func(uint64), answer func([]socketio.Payload)) {
	packet.Nsp = a.nsp
	data, err := packetData(packet)
	if err != nil || onlyLocal(opts) {
		if err != nil {
			a.hub.Drop(err)
		}
		a.LocalAdapter.Ask(packet, opts, clientCount, answer)
		return
	}
	a.askForAcks(data, opts, &ackRequest{clientCount: clientCount, answer: answer})
	a.LocalAdapter.BroadcastEncodedWithAck(socketio.Encoded{Nsp: a.nsp, Data: data}, opts, clientCount, answer)
}

// askForAcks queues the request to the other instances and registers r for what they answer.
func (a *Adapter) askForAcks(data socketio.Payload, opts *socket.BroadcastOptions, r *ackRequest) {
	if !a.hub.IsJoined() {
		return
	}
	id, timeout := wire.NewID(), a.timeout
	if opts != nil && opts.Flags != nil && opts.Flags.Timeout != nil {
		timeout = *opts.Flags.Timeout
	}
	a.mu.Lock()
	if a.closed {
		a.mu.Unlock()
		return
	}
	a.acks[id] = r
	r.timer = time.AfterFunc(timeout, func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		delete(a.acks, id)
	})
	a.mu.Unlock()
	err := a.ask(func(c wire.Census, err error) []wire.Out {
		if err != nil {
			a.hub.Drop(err)
			return nil
		}
		list, unasked, err := a.format.AckRequest(id, data, opts, c)
		if err != nil {
			a.hub.Drop(err)
			unasked = c.All - 1
		}
		for range unasked {
			a.later(&a.callbacks, "acknowledgement callback", func() { r.clientCount(0) })
		}
		return list
	})
	if err != nil {
		a.hub.Drop(err)
	}
}

// receiveAck passes on what another instance says about a broadcast of ours.
func (a *Adapter) receiveAck(r *ackRequest, resp *wire.Response) {
	if resp.Type == nil {
		return
	}
	switch *resp.Type {
	case rtypes.BROADCAST_CLIENT_COUNT:
		if resp.ClientCount != nil {
			n := *resp.ClientCount
			a.later(&a.callbacks, "acknowledgement callback", func() { r.clientCount(n) })
		}
	case rtypes.BROADCAST_ACK:
		var args []socketio.Payload
		if resp.Packet != nil {
			args = []socketio.Payload{wire.Payload(resp.Packet, resp.Attachments)}
		}
		a.later(&a.callbacks, "acknowledgement callback", func() { r.answer(args) })
	}
}

// handleBroadcastWithAck broadcasts for another instance and passes the acknowledgements on.
func (a *Adapter) handleBroadcastWithAck(req *wire.Request) error {
	if req.Packet == nil || req.Packet.Type != wire.TypeEvent && req.Packet.Type != wire.TypeBinaryEvent || req.Packet.Nsp != a.nsp && (req.Packet.Nsp != "" || a.nsp != "/") {
		return wire.ErrPacket
	}
	data := wire.Payload(req.Packet.Data, req.Attachments)
	if !json.Valid(data.JSON) {
		return wire.ErrEvent
	}
	if err := wire.CheckEvent(data.JSON); err != nil {
		return err
	}
	if err := wire.CheckPlaceholders(data.JSON, len(data.Attachments)); err != nil {
		return err
	}
	a.LocalAdapter.BroadcastEncodedWithAck(socketio.Encoded{Nsp: a.nsp, Data: data}, req.Opts.BroadcastOptions(),
		func(n uint64) {
			a.publishResponse(req, &wire.Response{Type: wire.TypeOf(rtypes.BROADCAST_CLIENT_COUNT), ClientCount: &n})
		},
		func(args []socketio.Payload) { a.publishAck(req, args) })
	return nil
}

// publishAck passes an acknowledgement on.
func (a *Adapter) publishAck(req *wire.Request, args []socketio.Payload) {
	it, err := a.format.Ack(req, args)
	a.push(err, it)
}

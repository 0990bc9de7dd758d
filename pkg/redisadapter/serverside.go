package redisadapter

import (
	"encoding/json"
	"errors"
	"sync"

	rtypes "github.com/zishang520/socket.io-go-redis/types"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/redisadapter/internal/wire"
	"socketio-chat/pkg/socketio"
)

var errNoEvent = errors.New("serverSideEmit: no event name")

// ServerSideEmit sends an event to the namespaces of the other instances. With a socket.Ack as the
// last element the instances' answers are collected: it is called with the answers of all, or with
// those that came in time and an error. Generation 2 nodes take no part.
func (a *Adapter) ServerSideEmit(packet []any) error {
	if len(packet) == 0 {
		return errNoEvent
	}
	ack, withAck := packet[len(packet)-1].(socket.Ack)
	if withAck {
		packet = packet[:len(packet)-1]
	}
	data, err := socketio.EncodeData(packet)
	if err != nil {
		return err
	}
	req := &wire.Request{Type: rtypes.SERVER_SIDE_EMIT}
	if req.Data, err = wire.InlineBinary(data, a.cfg.MaxMessage); err != nil {
		return err
	}
	if !withAck {
		a.command(req)
		return nil
	}
	req.RequestID = wire.NewID()
	answers := []any{}
	a.gatherAnswers(&gather{
		what:  "serverSideEmit",
		ids:   []string{req.RequestID},
		want:  wire.Census.Others,
		start: func(wire.Census) []wire.Out { return a.items([]*wire.Request{req}) },
		take: func(r *wire.Response) {
			var v any
			_ = json.Unmarshal(r.Data, &v) // absent: nil
			answers = append(answers, v)
		},
		done: func(err error) { a.hub.Protect("acknowledgement of serverSideEmit", func() { ack(answers, err) }) },
	})
	return nil
}

// handleServerSideEmit gives an event of another instance to the namespace's listeners.
func (a *Adapter) handleServerSideEmit(req *wire.Request) error {
	var args []any
	if err := json.Unmarshal(req.Data, &args); err != nil {
		return wire.ErrEvent
	}
	if len(args) == 0 {
		return wire.ErrEvent
	}
	if _, ok := args[0].(string); !ok {
		return wire.ErrEvent
	}
	if req.RequestID != "" {
		var once sync.Once
		args = append(args, func(answer []any, _ error) { // a socket.Ack
			once.Do(func() { a.answerServerSideEmit(req, answer) })
		})
	}
	a.later(&a.events, "serverSideEmit listener", func() { a.Nsp().OnServerSideEmit(args) })
	return nil
}

// answerServerSideEmit sends a listener's answer: its first argument, there is no room for more in
// the protocol.
func (a *Adapter) answerServerSideEmit(req *wire.Request, answer []any) {
	r := &wire.Response{Type: wire.TypeOf(rtypes.SERVER_SIDE_EMIT)}
	if len(answer) > 0 {
		data, err := socketio.EncodeData(answer[:1])
		if err != nil {
			a.hub.Drop(err)
			return
		}
		list, err := wire.InlineBinary(data, a.cfg.MaxMessage)
		if err != nil {
			a.hub.Drop(err)
			return
		}
		r.Data = list[1 : len(list)-1]
	}
	a.publishResponse(req, r)
}

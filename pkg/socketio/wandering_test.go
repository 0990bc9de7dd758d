package socketio

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/zishang520/engine.io/v2/types"
	"github.com/zishang520/socket.io/v2/socket"
)

// A place is an instance of a cluster in which the test delivers every event.
type place struct {
	*testServer
	a      *LocalAdapter
	name   string
	others []*place
	coming map[*place][]func() // from each of the others, in its order
	sent   int                 // events that are due to the client
	has    map[string]int      // how many of each place's have been delivered here
}

func (p *place) Lost() bool { return false }

func (p *place) Heard() time.Time { return time.Now() }

// Take asks the others in turn.
func (p *place) Take(pid socket.PrivateSessionId, offset string, deadline time.Time) (*HandedSession, uint64, Refusal) {
	kept, _, _ := p.a.Kept()
	for _, o := range p.others {
		if h, why := o.a.TakeSession(pid, offset, kept, 0, OriginText(p.name), deadline); h != nil || why != RefusedUnknown {
			return h, 0, why
		}
	}
	return nil, 0, RefusedUnknown
}

// publish sends an event: to all, to the client's room, or to another one.
func (p *place) publish(kind int) {
	opts := &socket.BroadcastOptions{Rooms: types.NewSet[socket.Room](), Except: types.NewSet[socket.Room]()}
	switch kind {
	case 1:
		opts.Rooms.Add("here")
	case 2:
		opts.Rooms.Add("elsewhere")
	case 3:
		opts.Except.Add("here")
	}
	ev, due := Encoded{Data: raw(fmt.Sprintf("[%q,-1]", p.name))}, kind < 2
	if due {
		p.sent++
		ev.Data = raw(fmt.Sprintf("[%q,%d]", p.name, p.sent))
	}
	p.a.BroadcastPublished(ev, opts, func(number uint64) {
		for _, o := range p.others {
			o.coming[p] = append(o.coming[p], func() {
				o.a.BroadcastReceived(ev, opts, p.name, number)
				if due {
					o.has[p.name]++
				}
			})
		}
	})
	if due {
		p.has[p.name]++
	}
}

func (p *place) deliver(from *place) {
	if list := p.coming[from]; len(list) > 0 {
		p.coming[from] = list[1:]
		list[0]()
	}
}

// TestWandering lets a client wander between three instances at random, while events of all of them are on
// their way to the others at random. It hears each that is due to it, once, and those of each sender in
// order.
func TestWandering(t *testing.T) {
	random := randomLife(t)
	var places []*place
	for n := range 3 {
		s := newTestServer(t, recovering(Options{}))
		p := &place{testServer: s, a: s.Of("/chat").local, name: fmt.Sprint("place ", n), coming: map[*place][]func(){}, has: map[string]int{}}
		p.a.PublishAs(p.name)
		p.a.SetPeers(p)
		places = append(places, p)
	}
	for _, p := range places {
		for _, o := range places {
			if o != p {
				p.others = append(p.others, o)
			}
		}
	}
	for _, p := range places { // so that all have heard of all
		p.publish(2)
		for _, o := range p.others {
			o.deliver(p)
		}
	}
	at := places[0]
	c := at.newComer(t, "/chat")
	eventually(t, "connected", func() bool { _, ok := at.Of("/chat").Sockets().Load(socket.SocketId(c.sid)); return ok })
	sock, _ := at.Of("/chat").Sockets().Load(socket.SocketId(c.sid))
	sock.Join("here")

	due, heard := map[string]int{}, map[string]int{}
	listen := func(most int) {
		for name, n := range at.has {
			due[name] = max(due[name], n)
		}
		for ; most > 0 && fmt.Sprint(due) != fmt.Sprint(heard); most-- {
			var args []any
			m := c.hear()
			if err := json.Unmarshal([]byte(m), &args); err != nil {
				t.Fatal(err)
			}
			from, n := args[0].(string), int(args[1].(float64))
			if n != heard[from]+1 {
				t.Fatalf("got %s after number %d", m, heard[from])
			}
			heard[from] = n
		}
	}
	for range 3000 {
		p := places[random.IntN(3)]
		switch op := random.IntN(20); {
		case op < 6:
			p.publish(random.IntN(4))
		case op < 16:
			p.deliver(p.others[random.IntN(2)])
		case op < 18:
			listen(random.IntN(10))
		default:
			listen(0) // what was delivered here is due, wherever the client goes
			if random.IntN(2) == 0 {
				c.cut()
			}
			at = places[random.IntN(3)]
			if !c.connect(t, at.testServer) {
				t.Fatalf("not recovered at %s: %+v", at.name, at.RecoveryStats())
			}
		}
	}
	for _, p := range places {
		for _, o := range p.others {
			for len(p.coming[o]) > 0 {
				p.deliver(o)
			}
		}
	}
	listen(1 << 20)
	c.wantNothingFrom(at)
}

// wantNothingFrom fails if anything but what the place says now comes.
func (c *comer) wantNothingFrom(p *place) {
	c.tb.Helper()
	p.publish(0)
	c.wantEvents(fmt.Sprintf("[%q,%d]", p.name, p.sent))
}

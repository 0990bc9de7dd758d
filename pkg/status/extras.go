package status

import (
	"fmt"
	"strconv"

	"socketio-chat/pkg/admission"
	"socketio-chat/pkg/auth"
	"socketio-chat/pkg/forward"
	"socketio-chat/pkg/socketio"
)

// An Extra is a card about a part that not every server has.
type Extra struct {
	Title string `json:"title"`
	Items []Item `json:"items"`
}

// An Item is a number, or another text, with a name. Bad: somebody should look at it.
type Item struct {
	Name string `json:"name"`
	Text string `json:"text"`
	Bad  bool   `json:"bad"`
}

// number is an item that is fine.
func number[T uint64 | int64](name string, n T) Item {
	return Item{Name: name, Text: strconv.FormatInt(int64(n), 10)}
}

// fault is an item that should be zero.
func fault(name string, n uint64) Item {
	return Item{Name: name, Text: strconv.FormatUint(n, 10), Bad: n > 0}
}

// extras are the cards of the parts that are there.
func (b *Board) extras() []Extra {
	list := []Extra{}
	if b.Forward != nil {
		list = append(list, Extra{"Forwarding", forwarding(b.Forward())})
	}
	if r := b.Server.RecoveryStats(); r.Enabled {
		list = append(list, Extra{"Recovery", recovery(r)})
	}
	if b.Limits != nil {
		list = append(list, Extra{"Limits", limits(b.Limits(), b.Server)})
	}
	if b.Auth != nil {
		list = append(list, Extra{"Tokens", tokens(b.Auth())})
	}
	return list
}

func forwarding(f forward.Stats) []Item {
	registered := Item{Name: "own address", Text: f.Address}
	if !f.Registered {
		registered.Text, registered.Bad = "not registered", true
	}
	return []Item{
		registered,
		number("peers", f.Peers),
		number("forwarded", f.Polls+f.Posts+f.Upgrades+f.Refused),
		number("for peers", f.Served),
		number("tunnels now", f.Tunnels),
		fault("failed", f.Unreachable+f.Denied+f.Broken),
	}
}

func recovery(r socketio.RecoveryStats) []Item {
	refused := uint64(0)
	for _, n := range r.Refused {
		refused += n
	}
	return []Item{
		number("recovered", r.Recovered),
		number("from peers", r.RecoveredRemote),
		number("not possible", refused),
		number("away now", r.Sessions),
		number("packets kept", r.Packets),
		{Name: "kB kept", Text: fmt.Sprintf("%.0f", float64(r.Bytes)/1024)},
	}
}

func limits(a admission.Stats, server *socketio.Server) []Item {
	l := server.LimitStats()
	return []Item{
		number("connections", a.RefusedConnections+a.RefusedConnectionsAddress),
		number("handshakes", a.RefusedHandshakes+a.RefusedHandshakesAddress),
		number("payloads", server.Engine().Stats().PayloadTooLarge()),
		number("control frames", server.Engine().Stats().ControlFrames()),
		number("slowed", l.SlowedMessages),
		number("joins", l.RefusedNamespaces+l.RefusedRooms),
		number("addresses now", a.Addresses),
	}
}

func tokens(a auth.Stats) []Item {
	keys := number("keys", a.Keys)
	keys.Bad = a.Keys == 0
	return []Item{
		number("accepted", a.Accepted),
		number("refused", a.RefusedMissing+a.RefusedMalformed+a.RefusedSignature+a.RefusedExpired+a.RefusedClaims),
		number("expired", a.Expired),
		keys,
		fault("key reads failed", a.KeyReadFailures),
		fault("had no keys", a.RefusedNoKeys),
	}
}

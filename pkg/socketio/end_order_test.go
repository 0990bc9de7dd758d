package socketio

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/zishang520/socket.io/v2/socket"
)

// TestSocketsEndInOrder: when a connection ends, its sockets do in the order in which they joined, as in Node; each is told the same reason.
func TestSocketsEndInOrder(t *testing.T) {
	const namespaces = 8
	for _, row := range []struct {
		name, reason string
		end          func(c *testClient)
	}{
		{"cut", ReasonTransportClose, func(c *testClient) { c.conn.Close() }},
		{"what cannot be decoded", ReasonForcedClose, func(c *testClient) { c.send("nonsense") }},
		{"a packet out of place", ReasonForcedServer, func(c *testClient) { c.send("0/ns0,") }},
		{"in the middle of a packet", ReasonTransportClose, func(c *testClient) { c.send(`51-/ns1,["x",` + ph0 + `]`); c.conn.Close() }},
	} {
		t.Run(row.name, func(t *testing.T) {
			bothProtocols(t, func(t *testing.T, protocol int) {
				s := newTestServer(t, Options{})
				ended := make(chan string, 2*namespaces)
				for i := range namespaces {
					ns := s.Of(fmt.Sprint("/ns", i))
					ns.OnConnect(func(_ context.Context, sock *socket.Socket) error {
						mustOn(t, sock, "disconnecting", func(args ...any) { ended <- fmt.Sprintf("%s: %v", ns.Name(), args[0]) })
						return nil
					})
					ns.OnDisconnect(func(_ context.Context, sock *socket.Socket, reason string) {
						ended <- fmt.Sprintf("%s: gone", ns.Name())
					})
				}
				c := s.dial(t, protocol, "")
				if protocol == 3 {
					c.want("0")
				}
				order := []int{3, 0, 7, 1, 6, 2, 5, 4}
				var want []string
				for _, i := range order {
					name := fmt.Sprint("/ns", i)
					c.join(name)
					want = append(want, name+": "+row.reason, name+": gone")
				}
				eventually(t, "all are open", func() bool {
					for _, one := range s.snapshot() {
						for _, i := range order {
							if l := one.link(fmt.Sprint("/ns", i)); l == nil || !l.isOpen() {
								return false
							}
						}
					}
					return true
				})
				row.end(c)
				var got []string
				for range want {
					got = append(got, receive(t, ended))
				}
				if strings.Join(got, "\n") != strings.Join(want, "\n") {
					t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
				}
			})
		})
	}
}

// TestSocketsAreGoneThroughInOrder: what is done with the sockets of a namespace or of rooms is done in the order in which they joined, as in
// Node, also after some have left.
func TestSocketsAreGoneThroughInOrder(t *testing.T) {
	s := newTestServer(t, Options{})
	chat := s.Of("/chat")
	ended := make(chan socket.SocketId, 10)
	chat.OnDisconnect(func(_ context.Context, sock *socket.Socket, _ string) { ended <- sock.Id() })
	var leave []*socket.Socket
	var want []socket.SocketId
	for i := range cap(ended) {
		_, sock := joinedSocket(t, s, 4)
		if i%3 == 0 {
			leave = append(leave, sock)
			continue
		}
		want = append(want, sock.Id())
	}
	for _, sock := range leave {
		sock.Disconnect(false)
		receive(t, ended)
	}
	chat.Everybody().Join("room")
	for _, target := range []Target{chat.Everybody(), chat.Everybody().In("room")} {
		chat.Adapter().FetchSockets(target.options())(func(list []socket.SocketDetails, err error) {
			var got []socket.SocketId
			for _, one := range list {
				got = append(got, one.Id())
			}
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("fetched %v, %v, want %v", got, err, want)
			}
		})
	}
	chat.Everybody().In("room").Disconnect(false)
	var got []socket.SocketId
	for range want {
		got = append(got, receive(t, ended))
	}
	if !slices.Equal(got, want) {
		t.Errorf("disconnected %v, want %v", got, want)
	}
}

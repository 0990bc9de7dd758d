package socketio

import (
	"fmt"
	"reflect"
	"unsafe"

	"github.com/zishang520/engine.io/v2/events"
	"github.com/zishang520/engine.io/v2/types"
	"github.com/zishang520/socket.io/v2/socket"
)

// Some fields of the library's Socket are needed on every event but have no accessor, or one that
// copies: the middlewares of Socket.Use, and whether anybody called OnAnyOutgoing. The private id can be
// asked for by nobody, nor the map that a Client has of its namespaces. The version of
// the library is pinned; should another one lay them out differently, the program does not start
// and TestPrivateFields says why.
var (
	fnsOffset      = fieldOffset[socket.Socket]("fns", reflect.TypeFor[*types.Slice[socket.SocketMiddleware]]())
	pidOffset      = fieldOffset[socket.Socket]("pid", reflect.TypeFor[socket.PrivateSessionId]())
	outgoingOffset = fieldOffset[socket.Socket]("_anyOutgoingListeners", reflect.TypeFor[*types.Slice[events.Listener]]())
	nspsOffset     = fieldOffset[socket.Client]("nsps", reflect.TypeFor[*types.Map[string, *socket.Socket]]())
)

func fieldOffset[In any](name string, want reflect.Type) uintptr {
	in := reflect.TypeFor[In]()
	f, ok := in.FieldByName(name)
	if !ok || f.Type != want {
		panic(fmt.Sprintf("socketio: %v has no field %s of type %v; use socket.io/v2 v2.5.0", in, name, want))
	}
	return f.Offset
}

// middlewares returns the list that Socket.Use appends to.
func middlewares(s *socket.Socket) *types.Slice[socket.SocketMiddleware] {
	return *(**types.Slice[socket.SocketMiddleware])(unsafe.Add(unsafe.Pointer(s), fnsOffset))
}

// nameOwner puts the origin of its owner before the private id of a new socket. Nobody else may know the
// socket yet.
func nameOwner(s *socket.Socket, owner string) {
	pid := (*socket.PrivateSessionId)(unsafe.Add(unsafe.Pointer(s), pidOffset))
	if *pid != "" {
		*pid = socket.PrivateSessionId(owner) + *pid
	}
}

// shareOutgoing makes list, which is empty, what Socket.OnAnyOutgoing appends to. Nobody else may know
// the socket yet.
func shareOutgoing(s *socket.Socket, list *types.Slice[events.Listener]) {
	*(**types.Slice[events.Listener])(unsafe.Add(unsafe.Pointer(s), outgoingOffset)) = list
}

// forgetNamespaces empties the map in which the Client looks up the namespaces of packets, 290 bytes for a
// single one. Packets reach their sockets without it, and a link stands for what is joined: the library is
// handed CONNECTs only, and none for a namespace that has one. A Client whose time to join is not over
// looks whether the map is empty.
func forgetNamespaces(c *socket.Client) {
	nsps := namespacesOf(c)
	nsps.Range(func(string, *socket.Socket) bool { return false }) // takes what is new to what Clear drops
	nsps.Clear()
}

func namespacesOf(c *socket.Client) *types.Map[string, *socket.Socket] {
	return *(**types.Map[string, *socket.Socket])(unsafe.Add(unsafe.Pointer(c), nspsOffset))
}

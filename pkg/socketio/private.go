package socketio

import (
	"fmt"
	"reflect"
	"unsafe"

	"github.com/zishang520/engine.io/v2/events"
	"github.com/zishang520/engine.io/v2/types"
	"github.com/zishang520/socket.io/v2/socket"
)

// Three fields of the library's Socket are needed on every event but have no accessor, or one that
// copies: the middlewares of Socket.Use, and whether anybody called OnAnyOutgoing. A third, the private
// id, can be asked for by nobody. The version of
// the library is pinned; should another one lay Socket out differently, the program does not start
// and TestPrivateFields says why.
var (
	fnsOffset      = fieldOffset("fns", reflect.TypeFor[*types.Slice[socket.SocketMiddleware]]())
	pidOffset      = fieldOffset("pid", reflect.TypeFor[socket.PrivateSessionId]())
	outgoingOffset = fieldOffset("_anyOutgoingListeners", reflect.TypeFor[*types.Slice[events.Listener]]())
)

func fieldOffset(name string, want reflect.Type) uintptr {
	f, ok := reflect.TypeFor[socket.Socket]().FieldByName(name)
	if !ok || f.Type != want {
		panic(fmt.Sprintf("socketio: socket.Socket has no field %s of type %v; use socket.io/v2 v2.5.0", name, want))
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

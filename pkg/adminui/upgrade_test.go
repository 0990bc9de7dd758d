package adminui

import (
	"encoding/json"
	"testing"

	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/engineio"
)

// TestUpgradesBeforeTheListAreToldAfterIt: a page that logs in while a socket is upgraded may hear of that before it has the list, in which the
// socket polls still.
func TestUpgradesBeforeTheListAreToldAfterIt(t *testing.T) {
	s := newScene(t, Options{Development: true}, 0)
	chatter, page := s.chatter(), s.page(login)
	page.until("all_sockets")
	to, _ := s.ui.ns.Sockets().Load(socket.SocketId(page.id))
	polls := shown{ID: chatter.id, Nsp: "/chat", Transport: engineio.Polling}
	for _, other := range []shown{{ID: "elsewhere", Nsp: "/chat", Transport: engineio.Polling}, {ID: chatter.id, Nsp: "/none", Transport: engineio.Polling}, {ID: chatter.id, Nsp: "/chat"}} {
		s.ui.sendUpgrade(to, other)
	}
	s.ui.sendUpgrade(to, polls)
	var told struct{ ID, Nsp, Transport string }
	if err := json.Unmarshal(page.until("socket_updated")[0], &told); err != nil || told.ID != chatter.id || told.Nsp != "/chat" || told.Transport != engineio.WebSocket {
		t.Errorf("%+v, %v", told, err)
	}
}

package adminui

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
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
		s.ui.sendUpgrades(to, []shown{other})
	}
	s.ui.sendUpgrades(to, []shown{polls})
	var told struct{ ID, Nsp, Transport string }
	if err := json.Unmarshal(page.until("socket_updated")[0], &told); err != nil || told.ID != chatter.id || told.Nsp != "/chat" || told.Transport != engineio.WebSocket {
		t.Errorf("%+v, %v", told, err)
	}
}

// TestListDescribesSocketsThatHaveJustCome: the page finds a socket in the list before its data tells of its connection. A page that got it so
// would show one client without a name, and the same again when it hears of the connection.
func TestListDescribesSocketsThatHaveJustCome(t *testing.T) {
	s := newScene(t, Options{Development: true}, 0)
	chatter, page := s.chatter(), s.page(login)
	page.until("all_sockets")
	here, _ := s.io.Of("/chat").Sockets().Load(socket.SocketId(chatter.id))
	here.SetData(nil) // as before OnConnect
	list := s.ui.lookAt(map[string][]socket.Room{"/chat": nil})
	if len(list) != 1 || list[0].ID != chatter.id || len(list[0].ClientID) != clientIDLength || list[0].Transport != engineio.WebSocket {
		t.Errorf("%+v", list)
	}
}

// TestPageIsInItsList: what carries its connection comes before the list is made.
func TestPageIsInItsList(t *testing.T) {
	s := newScene(t, Options{Development: true}, 0)
	var all []shown
	if err := json.Unmarshal(s.page(login).until("all_sockets")[0], &all); err != nil || len(all) != 1 || all[0].Transport != engineio.WebSocket {
		t.Errorf("%+v, %v", all, err)
	}
}

// TestReportsReachPagesThatAreBusy: two instances that were started together report at the same moments, and a page that is being written one
// report gets the other, too. One that polls is busy between its requests.
func TestReportsReachPagesThatAreBusy(t *testing.T) {
	s := newScene(t, Options{}, 0)
	at := s.http.URL + "/socket.io/?EIO=4&transport=polling"
	browser := http.Client{Timeout: patience}
	poll := func() string {
		t.Helper()
		resp, err := browser.Get(at)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatal(resp.Status, err)
		}
		return string(b)
	}
	var handshake struct{ Sid string }
	if err := json.Unmarshal([]byte(poll()[1:]), &handshake); err != nil {
		t.Fatal(err)
	}
	at += "&sid=" + url.QueryEscape(handshake.Sid)
	post := func(text string) {
		t.Helper()
		resp, err := browser.Post(at, "text/plain", strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	post("40" + Namespace + "," + login)
	for text := ""; !strings.Contains(text, `"config"`); {
		text = poll()
	}
	for _, name := range []string{"one", "two"} {
		report := newStats(s.ui, name)
		report.send()
	}
	post("42" + Namespace + `,["join"]`) // what is no command is answered, behind the reports
	text := ""
	for !strings.Contains(text, `"exception"`) {
		text += poll()
	}
	for _, name := range []string{"one", "two"} {
		if !strings.Contains(text, `"hostname":"`+name+`"`) {
			t.Errorf("the report of %s is lost", name)
		}
	}
	post("1") // it says that it goes, or the server's end would wait for its next request
}

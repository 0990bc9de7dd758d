package adminui

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/zishang520/socket.io/v2/socket"
	"golang.org/x/crypto/bcrypt"

	"socketio-chat/pkg/socketio"
)

func TestLogin(t *testing.T) {
	s := newScene(t, Options{Address: func(h *socket.Handshake) string { return h.Headers["X-From"][0] }}, 0)
	try := func(from, auth string) (*client, string) {
		c := s.dial("", http.Header{"X-From": {from}})
		return c, c.join(Namespace, auth)
	}
	page, refused := try("a", login)
	if refused != "" {
		t.Fatal(refused)
	}
	var session string
	if err := json.Unmarshal(page.until("session", "config")[0], &session); err != nil || len(session) < 20 {
		t.Fatalf("session %q, %v", session, err)
	}
	back, refused := try("b", `{"sessionId":"`+session+`"}`)
	if refused != "" {
		t.Fatal(refused)
	}
	back.until("config", "session")
	for i, auth := range []string{
		`{"username":"ops","password":"wrong"}`, `{"username":"else","password":"` + password + `"}`, `{"password":"` + password + `"}`,
		`{"username":"ops","password":"` + password + strings.Repeat("x", 80) + `"}`, `{"sessionId":"x` + session[1:] + `","username":["ops"],"password":7}`,
		`{"username":"ops"}`,
	} {
		if _, refused := try(fmt.Sprint("c", i/3), auth); refused != errCredentials.Error() {
			t.Errorf("%s: %q", auth, refused)
		}
	}
	// Somebody who has the password may come as often as he likes; somebody who guesses may not.
	for range 2 * attemptsAtOnce {
		if _, refused := try("d", login); refused != "" {
			t.Fatal(refused)
		}
	}
	for range attemptsAtOnce {
		try("e", `{"username":"ops","password":"guess"}`)
	}
	if _, refused := try("e", `{"username":"ops","password":"guess"}`); refused != errTooMany.Error() {
		t.Errorf("after too many attempts: %q", refused)
	}
	if _, refused := try("e", login); refused != "" {
		t.Errorf("the right password after too many attempts: %q", refused)
	}
	if _, refused := try("f", login); refused != "" {
		t.Errorf("another address: %q", refused)
	}
	if _, refused := try("e", `{"sessionId":"`+session+`"}`); refused != "" {
		t.Errorf("with a session: %q", refused)
	}
}

func TestAllowances(t *testing.T) {
	var d doorman
	d.init()
	now := time.Now()
	for i := range maxAddresses + 10 {
		d.mayTry(fmt.Sprint(i), now.Add(time.Duration(i)*allAttemptEvery/1000))
	}
	if len(d.address) > maxAddresses {
		t.Errorf("%d addresses", len(d.address))
	}
	if d.mayTry("new", now) {
		t.Error("the bound of all does not hold")
	}
	later := now.Add(time.Hour)
	for i := range attemptsAtOnce + 1 {
		if got := d.mayTry("one", later); got != (i < attemptsAtOnce) {
			t.Errorf("attempt %d: %v", i, got)
		}
	}
	if len(d.address) != 1 {
		t.Errorf("%d addresses are remembered an hour later", len(d.address))
	}
}

// TestNetworks: an IPv6 address is one of 2^64 that its client may take; it is counted by its /64.
func TestNetworks(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "::ffff:192.0.2.1", "2001:db8:1:2:3::4": "2001:db8:1:2::/64", "2001:db8:1:2::": "2001:db8:1:2::/64",
		"fe80::1%eth0": "fe80::/64", "invalid IP": "invalid IP", "": "",
	} {
		if got := network(address); got != want {
			t.Errorf("%q is counted as %q, want %q", address, got, want)
		}
	}
	s := newScene(t, Options{Address: func(h *socket.Handshake) string { return h.Headers["X-From"][0] }}, 0)
	for i := range attemptsAtOnce {
		s.dial("", http.Header{"X-From": {fmt.Sprintf("2001:db8::%x", i+1)}}).join(Namespace, `{"username":"ops","password":"guess"}`)
	}
	if s.ui.mayTry("2001:db8::/64", time.Now()) {
		t.Error("a client with many addresses has as many attempts")
	}
}

// TestLateAttempts: those beyond the bounds wait, a bounded number at a time, and one after the other.
func TestLateAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d doorman
		d.init()
		ctx, cancel := context.WithCancel(t.Context())
		began := time.Now()
		var compared []time.Duration
		for range maxLateOfOne {
			done, ok := d.awaitLate(ctx, "a")
			if !ok {
				t.Fatal("refused")
			}
			compared = append(compared, time.Since(began))
			done()
		}
		for i, at := range compared {
			if least := lateDelay * time.Duration(i+1); at < least {
				t.Errorf("attempt %d is compared after %s, before %s", i, at, least)
			}
		}
		var refused atomic.Int32
		var all sync.WaitGroup
		for i := range 3 * maxLate {
			all.Go(func() {
				if done, ok := d.awaitLate(ctx, fmt.Sprint(i/(2*maxLateOfOne))); ok {
					done()
				} else {
					refused.Add(1)
				}
			})
		}
		synctest.Wait()
		if got := refused.Load(); got != 3*maxLate-maxLate {
			t.Errorf("%d are refused at once", got)
		}
		time.Sleep(lateDelay + maxLate*lateEvery/2)
		synctest.Wait()
		d.mu.Lock()
		if waits := d.lateAll; waits < maxLate/2-2 || waits > maxLate/2+2 {
			t.Errorf("%d still wait after half of the time", waits)
		}
		d.mu.Unlock()
		cancel() // as Close does
		all.Wait()
		if d.lateAll != 0 || len(d.late) != 0 {
			t.Errorf("%d attempts wait for ever", d.lateAll)
		}
		time.Sleep(2 * lateEvery) // the last timer
	})
}

// TestChangedHashEndsSessions: also those that a store keeps over the restart.
func TestChangedHashEndsSessions(t *testing.T) {
	store := &memory{}
	first := newScene(t, Options{Sessions: store}, 0)
	page := first.dial("", nil)
	if refused := page.join(Namespace, login); refused != "" {
		t.Fatal(refused)
	}
	var session string
	if err := json.Unmarshal(page.until("session", "config")[0], &session); err != nil || len(session) > maxSessionID {
		t.Fatalf("session %q, %v", session, err)
	}
	if ok, err := store.Has(t.Context(), session); !ok || err != nil || !first.ui.ours(session) {
		t.Fatal("the session is not kept")
	}
	second := newScene(t, Options{Sessions: store}, 0) // bcrypt salts: the same password has another hash
	if refused := second.dial("", nil).join(Namespace, `{"sessionId":"`+session+`"}`); refused != errCredentials.Error() {
		t.Errorf("a session of another hash: %q", refused)
	}
	for _, bad := range []string{session[:len(session)-1], session + "x", strings.Split(session, ".")[0], "", ".", strings.Repeat("x", 1000)} {
		if first.ui.ours(bad) {
			t.Errorf("%q counts as a session", bad)
		}
	}
	first.ui.opts.Username = "else"
	if first.ui.ours(session) {
		t.Error("the session of another user counts")
	}
}

func TestSessionsAreBounded(t *testing.T) {
	var m memory
	for i := range maxSessions + 5 {
		_ = m.Add(t.Context(), fmt.Sprint(i))
	}
	first, _ := m.Has(t.Context(), "0")
	last, _ := m.Has(t.Context(), fmt.Sprint(maxSessions+4))
	m.known["7"] = time.Now().Add(-time.Second)
	old, _ := m.Has(t.Context(), "7")
	if first || !last || old || len(m.known) != maxSessions || len(m.order) != maxSessions {
		t.Error(first, last, old, len(m.known), len(m.order))
	}
}

func TestOptions(t *testing.T) {
	good, _ := bcrypt.GenerateFromPassword([]byte("x"), bcrypt.MinCost)
	costly := append([]byte("$2a$31$"), good[7:]...)
	io := socketio.NewServer(socketio.Options{})
	defer io.Close(context.Background())
	for _, o := range []Options{{PasswordHash: good}, {Username: "a"}, {Username: "a", PasswordHash: []byte("password")}, {Username: "a", PasswordHash: costly}} {
		if _, err := Attach(io, o); err == nil {
			t.Errorf("%+v is accepted", o)
		}
	}
	var none *UI
	none.Close()
}

func TestProduction(t *testing.T) {
	s := newScene(t, Options{}, 0)
	page := s.page(login)
	config := string(page.until("config")[0])
	if strings.Contains(config, "ALL_EVENTS") || !strings.Contains(config, `"DISCONNECT"`) {
		t.Error(config)
	}
	alice := s.chatter()
	alice.write(`42/chat,["say","hush"]`)
	alice.until("said")
	for packets := uint64(0); packets < 3; {
		var stats serverStats
		text := page.until("server_stats", "all_sockets", "socket_connected", "room_joined", "event_received", "event_sent")[0]
		if strings.Contains(string(text), "hush") {
			t.Errorf("contents: %s", text)
		}
		if err := json.Unmarshal(text, &stats); err != nil {
			t.Fatal(err)
		}
		for _, e := range stats.Aggregated {
			if e.Type == "packetsIn" {
				packets += e.Count
			}
		}
		if stats.Clients == 2 && fmt.Sprint(stats.Namespaces) != "[{/ 0} {/chat 1} {/admin 1}]" {
			t.Errorf("%+v", stats)
		}
	}
}

func TestDevelopment(t *testing.T) {
	s := newScene(t, Options{Development: true}, 0)
	early := s.chatter()
	page := s.page(login)
	var all []shown
	if err := json.Unmarshal(page.until("all_sockets")[0], &all); err != nil || len(all) != 2 {
		t.Fatalf("%v, %+v", err, all)
	}
	late := s.chatter()
	var text string
	for !strings.Contains(text, late.id) {
		text = string(page.until("socket_connected")[0])
	}
	var one shown
	if err := json.Unmarshal([]byte(text), &one); err != nil {
		t.Fatal(err)
	}
	if one.Transport != "websocket" || len(one.ClientID) != clientIDLength || one.Handshake.Headers["user-agent"] != "test" || one.Handshake.Address != "127.0.0.1" {
		t.Errorf("%+v", one)
	}
	everything, _ := json.Marshal(all)
	if both := string(everything) + text; strings.Contains(both, "hush") || !strings.Contains(both, early.id) || strings.Contains(both, adminMember) {
		t.Error(both)
	}
	late.write(`42/chat,1["say",{"b":1}]`)
	if got := fmt.Sprintf("%s", page.until("event_received")); !strings.HasPrefix(got, `["/chat" "`+late.id+`" ["say",{"b":1}] "`) {
		t.Error(got)
	}
	page.write(`42/admin,["join","/chat","red","` + late.id + `"]`)
	for room := ""; room != `"red"`; {
		room = string(page.until("room_joined")[1])
	}
	page.write(`42/admin,["emit","/chat","red","color",{"n":1e400}]`)
	if got := late.until("color"); string(got[0]) != `{"n":1e400}` {
		t.Errorf("%s", got)
	}
	page.write(`42/admin,["leave","/chat","red",null]`)
	page.until("room_left")
	page.write(`42/admin,["_disconnect","/chat",false,"` + late.id + `"]`)
	if got := page.until("socket_disconnected"); string(got[1]) != `"`+late.id+`"` || string(got[2]) != `"server namespace disconnect"` {
		t.Errorf("%s", got)
	}
}

func TestReadOnly(t *testing.T) {
	s := newScene(t, Options{ReadOnly: true, Development: true}, 0)
	alice, page := s.chatter(), s.page(login)
	if config := string(page.until("config")[0]); config != `{"supportedFeatures":["AGGREGATED_EVENTS","ALL_EVENTS"]}` {
		t.Error(config)
	}
	for _, command := range []string{`"_disconnect","/chat",true`, `"join","/chat","red"`, `"leave","/chat","` + alice.id + `"`, `"emit","/chat",null,"said","hey"`} {
		page.write(`42/admin,[` + command + `]`)
	}
	other := s.page(login) // its turn comes when the commands have been read, or nearly so
	other.until("all_sockets")
	alice.write(`42/chat,["say","still here"]`)
	if got := alice.until("said"); string(got[0]) != `"still here"` {
		t.Errorf("%s", got)
	}
	if rooms := s.io.Of("/chat").Adapter().Rooms().Len(); rooms != 1 {
		t.Errorf("%d rooms", rooms)
	}
}

func TestNonsense(t *testing.T) {
	s := newScene(t, Options{}, 0)
	page := s.page(login)
	page.until("config")
	long := `"` + strings.Repeat("r", maxName+1) + `"`
	for _, command := range []string{
		`"join","/chat",` + long, `"leave","/chat","red",` + long, `"_disconnect","/chat",true,` + long, `"emit","/chat",null,` + long,
		`"join"`, `"join",null`, `"join","/chat"`, `"join","/chat",7`, `"join",7,"red"`, `"join","/nowhere","red"`, `"leave","/chat",null`, `"join","/chat","red",{}`,
		`"_disconnect","/chat"`, `"_disconnect","/chat","yes"`, `"_disconnect","/chat",true,7`, `"emit","/chat"`, `"emit","/chat",null`,
		`"emit","/chat",null,7`, `"emit","/chat",7,"a"`, `"emit","/chat",null,"disconnect"`, `"emit",{},[],"a"`,
	} {
		page.write(`42/admin,[` + command + `]`)
		page.until("exception")
	}
	for _, n := range s.ui.namespaces() {
		if n.Name == "/nowhere" {
			t.Error("a command made a namespace")
		}
	}
	if strings.Contains(s.log.String(), "handler failed") || strings.Contains(s.log.String(), "panic") {
		t.Error(s.log.String())
	}
}

// With connection state recovery a page may be recovered, but nobody without credentials, and what it
// is told is the whole state again.
func TestRecovery(t *testing.T) {
	s := newScene(t, Options{Development: true}, time.Minute)
	page := s.page(login)
	page.until("all_sockets")
	page.conn.Close()
	c := s.dial("", nil)
	if refused := c.join(Namespace, `{"pid":"`+page.pid+`","offset":"x"}`); refused != errCredentials.Error() {
		t.Errorf("recovered without a password: %q", refused)
	}
	again := s.page(`{"pid":"` + page.pid + `","username":"ops","password":"` + password + `"}`)
	again.until("config")
	again.until("all_sockets")
	alice := s.chatter()
	alice.write(`42/chat,["say",1]`)
	again.until("event_received")
}

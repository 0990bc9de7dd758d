package main

import (
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/crypto/bcrypt"

	"socketio-chat/pkg/logs/logtest"
)

// The Admin UI beside tokens and recovery: neither is its own, and the people in the chat are shown by name,
// also by another instance.
func TestAdminUI(t *testing.T) {
	t.Chdir(t.TempDir())
	hash, err := bcrypt.GenerateFromPassword([]byte("open sesame"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	const key = "0123456789abcdef0123456789abcdef"
	var log logtest.Buffer
	settings := append(startRedis(t), "ADMIN_USER=ops", "ADMIN_PASSWORD_HASH="+string(hash), "ADMIN_MODE=development",
		"AUTH_JWT_SECRET="+key, "RECOVERY_SECONDS=60", "CHAT_JOIN_NOTICE=false")
	one, two := startLogged(t, &log, settings...), startLogged(t, &log, settings...)
	for _, in := range []*instance{one, two} {
		eventually(t, "instance is ready", func() bool { return in.ready(t) })
	}
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"name": "alice", "exp": time.Now().Add(time.Hour).Unix()}).SignedString([]byte(key))
	if err != nil {
		t.Fatal(err)
	}
	alice, page, stranger := startPolling(t, one), startPolling(t, two), startPolling(t, two)
	alice.post(`40/chat,{"token":"` + token + `"}`)
	alice.pollUntil("40/chat,{")
	stranger.post(`40/admin,{"token":"` + token + `"}`)
	stranger.pollUntil(`44/admin,{"message":"invalid credentials"}`)
	page.post(`40/admin,{"username":"ops","password":"open sesame"}`)
	if text := page.pollUntil(`"data":{"name":"alice"}`); !strings.Contains(text, `"ALL_EVENTS"`) {
		t.Errorf("no config before the sockets: %s", text)
	}
	alice.post(`42/chat,["msgToServer",{"name":"somebody else","text":"hey"}]`)
	page.pollUntil(`["msgToClient",{"name":"alice","text":"hey"`)
	if text := log.String(); strings.Contains(text, "sesame") || strings.Contains(text, string(hash)) || strings.Contains(text, token) {
		t.Errorf("a secret in the log:\n%s", text)
	}
	for _, p := range []*poller{alice, page, stranger} {
		p.post("1") // leaves, or the end would wait for them
	}
	for _, in := range []*instance{one, two} {
		in.stop()
		if err := <-in.result; err != nil {
			t.Errorf("ended with %v", err)
		}
	}
}

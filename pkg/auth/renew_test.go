package auth

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// join connects a client with a token in the query of the connection.
func (s *scene) join(protocol int, token string) *caller {
	s.t.Helper()
	c := s.dial(protocol, "token="+token, http.Header{})
	c.send("40/chat,")
	c.want("40/chat,")
	return c
}

// refresh sends a token and returns the acknowledgement.
func (c *caller) refresh(id int, argument string) string {
	c.t.Helper()
	c.send(fmt.Sprintf(`42/chat,%d["auth:refresh",%s]`, id, argument))
	return strings.TrimPrefix(c.want(fmt.Sprintf("43/chat,%d[", id)), fmt.Sprintf("43/chat,%d", id))
}

// A client that sends a fresh token in time stays, whatever its protocol and the form of the argument.
func TestRenewedTokenKeepsTheConnection(t *testing.T) {
	s := newScene(t, Options{Secret: secret})
	end := time.Now().Add(2500 * time.Millisecond).Truncate(time.Second)
	old := sign(t, "HS256", secret, claims("exp", end.Unix()))
	until := time.Now().Add(time.Minute).Unix()
	fresh := sign(t, "HS256", secret, claims("exp", until, "name", "Kim II"))
	var stay []*caller
	for i, argument := range []string{`"` + fresh + `"`, `"Bearer ` + fresh + `"`, `{"token":"` + fresh + `"}`} {
		c := s.join(3+i%2, old)
		if got, want := c.refresh(7, argument), fmt.Sprintf(`[{"ok":true,"expires":%d}]`, until); got != want {
			t.Errorf("%.20s: got %s, want %s", argument, got, want)
		}
		stay = append(stay, c)
	}
	forever := s.join(4, old)
	if got := forever.refresh(1, `"`+sign(t, "HS256", secret, claims("exp", nil))+`"`); got != `[{"ok":true}]` {
		t.Errorf("got %s", got)
	}
	leaves := s.join(4, old)
	leaves.want(`42/chat,["exception",{"code":"token_expired"`)
	leaves.want("41/chat,")
	for _, c := range append(stay, forever) {
		if got := c.refresh(8, `"`+fresh+`"`); !strings.Contains(got, `"ok":true`) {
			t.Errorf("after the end of the old token: %s", got)
		}
	}
	if got := s.guard.verifier.Stats(); got.Expired != 1 || got.Renewed != 8 {
		t.Errorf("%+v", got)
	}
}

// What is refused leaves the connection and its token as they were.
func TestRefusedRenewal(t *testing.T) {
	s := newScene(t, Options{Secret: secret})
	for _, tt := range []struct{ name, argument, code string }{
		{"another user", `"` + sign(t, "HS256", secret, claims("sub", "7")) + `"`, "token_subject"},
		{"no user", `"` + sign(t, "HS256", secret, claims("sub", nil)) + `"`, "token_subject"},
		{"too old", `"` + sign(t, "HS256", secret, claims("exp", 1)) + `"`, "token_expired"},
		{"another secret", `"` + sign(t, "HS256", []byte("another one of thirty-two bytes…"), claims()) + `"`, "token_signature"},
		{"nonsense", `"x"`, "token_malformed"},
		{"a number", `5`, "token_missing"},
		{"nothing", `null`, "token_missing"},
		{"an object without it", `{"jeton":"x"}`, "token_missing"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := s.join(4, sign(t, "HS256", secret, claims()))
			if got := c.refresh(1, tt.argument); !strings.HasPrefix(got, `[{"ok":false,"code":"`+tt.code+`"`) || strings.Contains(got, "eyJ") {
				t.Errorf("got %s", got)
			}
			if got := c.refresh(2, `"`+sign(t, "HS256", secret, claims())+`"`); !strings.Contains(got, "refresh_too_often") {
				t.Errorf("a second one at once: %s", got)
			}
			c.send(`42/chat,["auth:refresh","x"]`) // without an acknowledgement
			c.want(`42/chat,["exception",{"code":"refresh_too_often"`)
		})
	}
}

func TestClientsAreToldBeforeTheirTokenEnds(t *testing.T) {
	s := newScene(t, Options{Secret: secret, Warn: time.Hour})
	exp := time.Now().Add(10 * time.Minute).Unix()
	c := s.join(4, sign(t, "HS256", secret, claims("exp", exp)))
	got := c.want(`42/chat,["auth:expiring",`)
	if !strings.HasPrefix(got, fmt.Sprintf(`42/chat,["auth:expiring",{"expires":%d,"seconds":`, exp)) {
		t.Errorf("got %s", got)
	}
	later := time.Now().Add(3 * time.Hour).Unix()
	c.refresh(1, `"`+sign(t, "HS256", secret, claims("exp", later))+`"`)
	s.guard.watched.mu.Lock()
	defer s.guard.watched.mu.Unlock()
	for _, w := range s.guard.watched.sockets {
		if want := time.Unix(later, 0).Add(-time.Hour); w.warning == nil || !w.warning.at.Equal(want) {
			t.Errorf("the next warning comes at %v, want %v", w.warning, want)
		}
	}
}

// A key that is taken out of the key set, or revoked by its id, ends those who came with it, and no others.
func TestRevocationByKeyID(t *testing.T) {
	k := keys()
	path := filepath.Join(t.TempDir(), "keys.json")
	write := func(set []byte) {
		if err := os.WriteFile(path, set, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	first, second := jwkOf(t, k.rsa.Public(), "first"), jwkOf(t, k.rsaOther.Public(), "second")
	write(setOf(t, first, second))
	s := newScene(t, Options{JWKS: path, Revoked: []string{"stolen"}})
	one := s.join(4, sign(t, "RS256", k.rsa, claims(), "kid", "first"))
	three := s.join(3, sign(t, "RS256", k.rsa, claims(), "kid", "first"))
	two := s.join(4, sign(t, "RS256", k.rsaOther, claims("sub", "2"), "kid", "second"))
	none := s.join(4, sign(t, "RS256", k.rsa, claims("sub", "3")))

	write(setOf(t, second))
	if err := s.guard.verifier.keys.(*keySet).load(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []*caller{one, three} {
		c.want(`42/chat,["exception",{"code":"token_revoked"`)
		c.want("41/chat,")
	}
	if got := two.refresh(1, `"`+sign(t, "RS256", k.rsaOther, claims("sub", "2"), "kid", "second")+`"`); !strings.Contains(got, `"ok":true`) {
		t.Errorf("got %s", got)
	}
	if n := s.guard.Revoke("second"); n != 1 {
		t.Errorf("%d sockets ended", n)
	}
	two.want("41/chat,")
	none.refresh(1, `"x"`) // names no key: stays

	stolen := s.dial(4, "token="+sign(t, "RS256", k.rsa, claims(), "kid", "stolen"), nil)
	stolen.send("40/chat,")
	if got := stolen.want("44/chat,"); !strings.Contains(got, "token_revoked") {
		t.Errorf("got %s", got)
	}
	if got := s.guard.verifier.Stats().Revoked; got != 3 {
		t.Errorf("%d revoked", got)
	}
}

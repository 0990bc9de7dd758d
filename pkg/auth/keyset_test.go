package auth

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestKeySetFile(t *testing.T) {
	k := keys()
	path := filepath.Join(t.TempDir(), "keys.json")
	write := func(text []byte) {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(setOf(t,
		jwkOf(t, k.rsa.Public(), "rsa"),
		jwkOf(t, k.p256.Public(), "p256", "alg", "ES256", "use", "sig"),
		jwkOf(t, k.ed.Public(), ""),
		jwkOf(t, k.rsaOther.Public(), "pss", "alg", "PS512"),
		// Of no use:
		jwkOf(t, k.p384.Public(), "enc", "use", "enc"),
		jwkOf(t, k.p384.Public(), "wrong", "alg", "ES256"),
		jwkOf(t, secret, "oct", "alg", "HS256"),
		map[string]any{"kty": "quantum", "kid": "later"}, "nonsense", 5))
	v := newVerifier(t, Options{JWKS: path})
	if s := v.Stats(); s.Keys != 4 || s.KeyReads != 1 || v.Ready() != nil {
		t.Errorf("%+v", s)
	}
	for _, tt := range []struct {
		name, token string
		want        *Refusal
	}{
		{"RSA", sign(t, "RS256", k.rsa, claims(), "kid", "rsa"), nil},
		{"ECDSA", sign(t, "ES256", k.p256, claims(), "kid", "p256"), nil},
		{"Ed25519", sign(t, "EdDSA", k.ed, claims()), nil},
		{"no kid", sign(t, "RS384", k.rsa, claims()), nil},
		{"the key's own algorithm", sign(t, "PS512", k.rsaOther, claims(), "kid", "pss"), nil},
		{"another than the key's own", sign(t, "RS512", k.rsaOther, claims(), "kid", "pss"), ErrKeyUnknown},
		{"another key's kid", sign(t, "RS256", k.rsaOther, claims(), "kid", "rsa"), ErrSignature},
		{"an unknown kid", sign(t, "RS256", k.rsa, claims(), "kid", "../../etc/passwd"), ErrKeyUnknown},
		{"a key for encryption", sign(t, "ES384", k.p384, claims(), "kid", "enc"), ErrKeyUnknown},
		{"a secret of the set", sign(t, "HS256", secret, claims(), "kid", "oct"), ErrAlgorithm},
		{"a public key as secret", sign(t, "HS256", pemOf(t, k.rsa.Public()), claims(), "kid", "rsa"), ErrAlgorithm},
	} {
		t.Run(tt.name, func(t *testing.T) { wantRefusal(t, v, tt.token, tt.want) })
	}

	for _, text := range []string{"", "[]", "{}", `{"keys":[]}`, `{"keys":["x"]}`, `{"keys":{}}`, strings.Repeat(" ", maxKeySet+1)} {
		write([]byte(text))
		if _, err := New(Options{JWKS: path}); err == nil {
			t.Errorf("%.20q accepted", text)
		}
	}
}

// keyServer serves what it is told to, in memory.
type keyServer struct {
	answer atomic.Pointer[func(*http.Request) (*http.Response, error)]
	asked  atomic.Int64
}

func (s *keyServer) RoundTrip(r *http.Request) (*http.Response, error) {
	s.asked.Add(1)
	return (*s.answer.Load())(r)
}

func (s *keyServer) serve(status int, body []byte) {
	f := func(*http.Request) (*http.Response, error) {
		w := httptest.NewRecorder()
		w.WriteHeader(status)
		_, _ = w.Write(body)
		return w.Result(), nil
	}
	s.answer.Store(&f)
}

// Keys change, and their server comes and goes.
func TestKeySetURL(t *testing.T) {
	k := keys()
	first := setOf(t, jwkOf(t, k.rsa.Public(), "first"))
	second := setOf(t, jwkOf(t, k.p256.Public(), "second"))
	byFirst := sign(t, "RS256", k.rsa, claims("exp", nil), "kid", "first")
	bySecond := sign(t, "ES256", k.p256, claims("exp", nil), "kid", "second")
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		server := new(keyServer)
		server.serve(http.StatusServiceUnavailable, nil)
		v := newVerifier(t, Options{JWKS: "https://id.example/jwks", Refresh: time.Hour,
			Client: &http.Client{Transport: server}, Logger: slog.New(slog.NewTextHandler(&out, nil))})
		synctest.Wait()
		wantRefusal(t, v, byFirst, ErrNoKeys)
		if v.Ready() == nil || !strings.Contains(out.String(), "503") {
			t.Errorf("not said that there are no keys:\n%s", &out)
		}

		server.serve(http.StatusOK, first)
		time.Sleep(retryAfter) // without keys it is tried again soon
		synctest.Wait()
		wantRefusal(t, v, byFirst, nil)

		// A new key is read with its first token, at once.
		time.Sleep(time.Minute)
		server.serve(http.StatusOK, second)
		wantRefusal(t, v, bySecond, nil)
		wantRefusal(t, v, byFirst, ErrKeyUnknown) // rotated out

		// Tokens of unknown keys do not make it a tool against the key server.
		asked := server.asked.Load()
		for range 1000 {
			wantRefusal(t, v, byFirst, ErrKeyUnknown)
		}
		if got := server.asked.Load(); got != asked {
			t.Errorf("asked %d times for 1,000 tokens", got-asked)
		}

		// What was read stays while the server is away, sends nonsense, or far too much.
		for _, bad := range []func(){
			func() { server.serve(http.StatusInternalServerError, nil) },
			func() { server.serve(http.StatusOK, []byte("<html>")) },
			func() { server.serve(http.StatusOK, bytes.Repeat([]byte(" "), 2*maxKeySet)) },
			func() {
				f := func(r *http.Request) (*http.Response, error) { <-r.Context().Done(); return nil, r.Context().Err() }
				server.answer.Store(&f)
			},
		} {
			bad()
			failures := v.Stats().KeyReadFailures
			time.Sleep(time.Hour + fetchTimeout)
			synctest.Wait()
			if got := v.Stats().KeyReadFailures; got == failures {
				t.Error("no failure counted")
			}
			wantRefusal(t, v, bySecond, nil)
		}
		v.Close()
		if _, err := v.Verify(context.Background(), byFirst); !errors.Is(err, ErrNoKeys) && !errors.Is(err, ErrKeyUnknown) {
			t.Errorf("after Close: %v", err)
		}
	})
}

// A key server that never answers holds up those that bring an unknown key, not for long, and not Close.
func TestKeyServerHangs(t *testing.T) {
	token := sign(t, "RS256", keys().rsa, claims("exp", nil), "kid", "x")
	synctest.Test(t, func(t *testing.T) {
		server := new(keyServer)
		f := func(r *http.Request) (*http.Response, error) { <-r.Context().Done(); return nil, r.Context().Err() }
		server.answer.Store(&f)
		v := newVerifier(t, Options{JWKS: "https://id.example/jwks", Client: &http.Client{Transport: server}})
		begin := time.Now()
		wantRefusal(t, v, token, ErrNoKeys)
		if took := time.Since(begin); took > 2*fetchTimeout {
			t.Errorf("took %s", took)
		}
		v.Close()
	})
}

// A redirect of the keys' server must not choose where keys come from. This is the fault that
// CVE-2026-102267 is said to be about; its text could not be had.
func TestCVE_2026_102267(t *testing.T) {
	k := keys()
	var plain, start *httptest.Server
	plain = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(setOf(t, jwkOf(t, k.rsa.Public(), "x")))
	}))
	defer plain.Close()
	start = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
			return
		case "/elsewhere":
			http.Redirect(w, r, strings.Replace(plain.URL, "127.0.0.1", "localhost", 1), http.StatusFound)
			return
		}
		http.Redirect(w, r, plain.URL, http.StatusFound)
	}))
	defer start.Close()
	read := fetcher(start.URL, nil)
	if _, err := read(context.Background()); err != nil { // from http to http
		t.Error(err)
	}
	for _, path := range []string{"/loop", "/elsewhere"} {
		if _, err := fetcher(start.URL+path, nil)(context.Background()); err == nil || !strings.Contains(err.Error(), "redirected") {
			t.Errorf("%s: got %v", path, err)
		}
	}
}

package auth

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

func newVerifier(tb testing.TB, o Options) *Verifier {
	tb.Helper()
	v, err := New(o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(v.Close)
	return v
}

// wantRefusal fails unless the token is refused for this reason; nil: accepted.
func wantRefusal(tb testing.TB, v *Verifier, token string, want *Refusal) {
	tb.Helper()
	identity, err := v.Verify(context.Background(), token)
	switch {
	case want == nil && (err != nil || identity.Name != "Kim"):
		tb.Errorf("got %v, %v", identity, err)
	case want != nil && !errors.Is(err, want):
		tb.Errorf("got %v, %v, want the refusal %q", identity, err, want.Code)
	case err != nil && strings.Contains(err.Error(), token) && token != "":
		tb.Errorf("the error holds the token: %v", err)
	}
}

func TestEveryAlgorithm(t *testing.T) {
	k := keys()
	for _, tt := range []struct {
		options Options
		alg     []string
		key     any
	}{
		{Options{Secret: secret}, hmacAlgorithms, secret},
		{Options{PublicKey: pemOf(t, k.rsa.Public())}, rsaAlgorithms, k.rsa},
		{Options{PublicKey: pemOf(t, k.p256.Public())}, []string{"ES256"}, k.p256},
		{Options{PublicKey: pemOf(t, k.p384.Public())}, []string{"ES384"}, k.p384},
		{Options{PublicKey: pemOf(t, k.ed.Public())}, []string{"EdDSA"}, k.ed},
	} {
		v := newVerifier(t, tt.options)
		for _, alg := range tt.alg {
			token := sign(t, alg, tt.key, claims())
			wantRefusal(t, v, token, nil)
			// Changed anywhere, it is not accepted any more.
			for _, i := range []int{len(token) / 2, len(token) - 10} {
				c := byte('A')
				if token[i] == c {
					c = 'B'
				}
				if _, err := v.Verify(context.Background(), token[:i]+string(c)+token[i+1:]); err == nil {
					t.Errorf("%s: accepted with byte %d changed", alg, i)
				}
			}
		}
		if got := v.Stats().Accepted; got != uint64(len(tt.alg)) {
			t.Errorf("%d accepted", got)
		}
	}
}

// What an attacker makes of a public key, of a token of somebody else, or of nothing.
func TestForgedTokens(t *testing.T) {
	k := keys()
	public := pemOf(t, k.rsa.Public())
	der, err := x509.MarshalPKIXPublicKey(k.rsa.Public())
	if err != nil {
		t.Fatal(err)
	}
	hs, rs := newVerifier(t, Options{Secret: secret}), newVerifier(t, Options{PublicKey: public})
	none := sign(t, "none", jwt.UnsafeAllowNoneSignatureType, claims())
	header := func(json string) string { return b64([]byte(json)) + "." + b64([]byte(`{"name":"Kim"}`)) + "." }
	good := sign(t, "RS256", k.rsa, claims())
	parts := strings.Split(good, ".")
	other := strings.Split(sign(t, "RS256", k.rsa, claims("name", "admin")), ".")
	for _, tt := range []struct {
		name, token string
		v           *Verifier
		want        *Refusal
	}{
		{"none", none, hs, ErrAlgorithm},
		{"none, for a public key", none, rs, ErrAlgorithm},
		{"none with a signature", none + "eA", rs, ErrAlgorithm},
		{"None", header(`{"alg":"None"}`), rs, ErrAlgorithm},
		{"NONE", header(`{"alg":"NONE"}`), rs, ErrAlgorithm},
		{"no algorithm", header(`{}`), rs, ErrAlgorithm},
		{"an algorithm that is no text", header(`{"alg":["RS256"]}`), rs, ErrAlgorithm},
		{"an empty algorithm", header(`{"alg":""}`), rs, ErrAlgorithm},
		{"the public key's text as HMAC secret", sign(t, "HS256", public, claims()), rs, ErrAlgorithm},
		{"the same without its last line break", sign(t, "HS256", []byte(strings.TrimSpace(string(public))), claims()), rs, ErrAlgorithm},
		{"the public key's bytes as HMAC secret", sign(t, "HS256", der, claims()), rs, ErrAlgorithm},
		{"another key", sign(t, "RS256", k.rsaOther, claims()), rs, ErrSignature},
		{"another kind of key", sign(t, "ES256", k.p256, claims()), rs, ErrAlgorithm},
		{"another secret", sign(t, "HS256", []byte("secret"), claims()), hs, ErrSignature},
		{"an empty secret", sign(t, "HS256", []byte{}, claims()), hs, ErrSignature},
		{"a key of its own", sign(t, "RS256", k.rsaOther, claims(), "jku", "http://127.0.0.1:1/", "x5u", "http://127.0.0.1:1/"), rs, ErrSignature},
		{"critical headers", sign(t, "RS256", k.rsa, claims(), "crit", "b64"), rs, ErrMalformed},
		{"somebody else's signature", parts[0] + "." + other[1] + "." + parts[2], rs, ErrSignature},
		{"no signature", parts[0] + "." + parts[1] + ".", rs, ErrSignature},
		{"two parts", parts[0] + "." + parts[1], rs, ErrMalformed},
		{"four parts", good + ".x", rs, ErrMalformed},
		{"nonsense", "nonsense", rs, ErrMalformed},
		{"dots", "..", rs, ErrMalformed},
		{"many dots", strings.Repeat(".", 10_000), rs, ErrMalformed},
		{"with padding", good + "==", rs, ErrMalformed},
		{"with a space", good + " ", rs, ErrMalformed},
		{"too long", good + strings.Repeat("A", maxToken), rs, ErrMalformed},
		{"nothing", "", rs, ErrMissing},
		{"claims that are no object", b64([]byte(`{"alg":"RS256"}`)) + "." + b64([]byte(`[]`)) + ".", rs, ErrMalformed},
	} {
		t.Run(tt.name, func(t *testing.T) { wantRefusal(t, tt.v, tt.token, tt.want) })
	}
	if s := rs.Stats(); s.Accepted != 0 || s.RefusedMissing != 1 || s.RefusedMalformed == 0 || s.RefusedSignature == 0 {
		t.Errorf("%+v", s)
	}
}

func TestClaims(t *testing.T) {
	now := time.Now()
	at := func(d time.Duration) int64 { return now.Add(d).Unix() }
	plain := newVerifier(t, Options{Secret: secret})
	strict := newVerifier(t, Options{Secret: secret, Issuer: "https://id.example/", Audience: []string{"chat", "other"}, NameClaim: "nick"})
	patient := newVerifier(t, Options{Secret: secret, Leeway: time.Minute})
	for _, tt := range []struct {
		name   string
		v      *Verifier
		claims jwt.MapClaims
		want   *Refusal
	}{
		{"good", plain, claims(), nil},
		{"no end", plain, claims("exp", nil), nil},
		{"expired", plain, claims("exp", at(-2*time.Second)), ErrExpired},
		{"expired at the beginning of time", plain, claims("exp", 0), ErrExpired},
		{"expired long ago", plain, claims("exp", 1), ErrExpired},
		{"an end that is a text", plain, claims("exp", "tomorrow"), ErrClaims},
		{"an end beyond all time", plain, claims("exp", 1e300), ErrExpired}, // nobody means that
		{"an end before all time", plain, claims("exp", -1e300), ErrExpired},
		{"not yet", plain, claims("nbf", at(time.Minute)), ErrNotYet},
		{"issued later, which is no matter", plain, claims("iat", at(time.Hour)), nil},
		{"no name", plain, claims("name", nil), ErrName},
		{"an empty name", plain, claims("name", ""), ErrName},
		{"a number as name", plain, claims("name", 5), ErrName},
		{"a list as name", plain, claims("name", []string{"Kim"}), ErrName},
		{"a number as subject", plain, claims("sub", 5), ErrClaims},
		{"within the leeway", patient, claims("exp", at(-30*time.Second), "nbf", at(30*time.Second)), nil},
		{"beyond the leeway", patient, claims("exp", at(-61*time.Second)), ErrExpired},
		{"all as expected", strict, claims("nick", "Kim"), nil},
		{"one of several audiences", strict, claims("nick", "Kim", "aud", []string{"x", "other"}), nil},
		{"another issuer", strict, claims("nick", "Kim", "iss", "https://id.example"), ErrIssuer},
		{"no issuer", strict, claims("nick", "Kim", "iss", nil), ErrRequired},
		{"another audience", strict, claims("nick", "Kim", "aud", "chatter"), ErrAudience},
		{"no audience", strict, claims("nick", "Kim", "aud", nil), ErrRequired},
		{"an empty audience", strict, claims("nick", "Kim", "aud", []string{}), ErrRequired},
		{"the name elsewhere", strict, claims(), ErrName},
		{"expired comes first", strict, claims("exp", 1, "iss", "x"), ErrExpired},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wantRefusal(t, tt.v, sign(t, "HS256", secret, tt.claims), tt.want)
		})
	}
}

// The end of an identity has the leeway in it: a client that comes in may stay.
func TestExpires(t *testing.T) {
	end := time.Now().Add(time.Hour).Truncate(time.Second)
	v := newVerifier(t, Options{Secret: secret, Leeway: time.Minute})
	identity, err := v.Verify(context.Background(), sign(t, "HS256", secret, claims("exp", end.Unix())))
	if err != nil || !identity.Expires.Equal(end.Add(time.Minute)) || identity.Subject != "42" {
		t.Errorf("%+v, %v", identity, err)
	}
	identity, err = v.Verify(context.Background(), sign(t, "HS256", secret, claims("exp", nil)))
	if err != nil || !identity.Expires.IsZero() {
		t.Errorf("%+v, %v", identity, err)
	}
}

func TestAlgorithmsGiven(t *testing.T) {
	k := keys()
	v := newVerifier(t, Options{PublicKey: pemOf(t, k.rsa.Public()), Algorithms: []string{"PS256"}})
	wantRefusal(t, v, sign(t, "PS256", k.rsa, claims()), nil)
	wantRefusal(t, v, sign(t, "RS256", k.rsa, claims()), ErrAlgorithm)
}

func TestOptionsThatCannotBe(t *testing.T) {
	k := keys()
	public := pemOf(t, k.rsa.Public())
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	private := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(k.rsa)})
	for _, tt := range []struct {
		name    string
		options Options
		want    string
	}{
		{"nothing", Options{}, "exactly one"},
		{"two", Options{Secret: secret, PublicKey: public}, "exactly one"},
		{"an algorithm of another key", Options{PublicKey: public, Algorithms: []string{"HS256"}}, "does not fit"},
		{"an algorithm of a public key", Options{Secret: secret, Algorithms: []string{"RS256"}}, "does not fit"},
		{"none", Options{Secret: secret, Algorithms: []string{"none"}}, "does not fit"},
		{"no PEM", Options{PublicKey: []byte("secret")}, "PEM"},
		{"a private key", Options{PublicKey: private}, "give the public key"},
		{"several keys", Options{PublicKey: append(public, public...)}, "JSON Web Key Set"},
		{"a short key", Options{PublicKey: pemOf(t, short.Public())}, "2048"},
		{"a key that would take long", Options{PublicKey: pemOf(t, &rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), 20000, 1), E: 65537})}, "16384"},
		{"nonsense in PEM", Options{PublicKey: pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: []byte("x")})}, "cannot be read"},
		{"no such file", Options{JWKS: "/nowhere/keys.json"}, "no such file"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if v, err := New(tt.options); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, %v", v, err)
			}
		})
	}
}

// Whatever is sent as a token: an answer, no panic, and nobody gets in.
func FuzzVerify(f *testing.F) {
	f.Add(sign(f, "HS256", []byte("x"), claims()))
	f.Add(sign(f, "none", jwt.UnsafeAllowNoneSignatureType, claims()))
	f.Add("..")
	v := newVerifier(f, Options{Secret: secret})
	f.Fuzz(func(t *testing.T, token string) {
		if identity, err := v.Verify(context.Background(), token); err == nil {
			t.Errorf("%q is %v", token, identity)
		}
	})
}

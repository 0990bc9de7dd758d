package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// The defaults of Options.
const (
	DefaultNameClaim = "name"
	DefaultRefresh   = 15 * time.Minute
)

// maxToken bounds what is looked at, in bytes.
const maxToken = 16 << 10

// Options says which tokens are accepted. Exactly one of Secret, PublicKey and JWKS is needed.
type Options struct {
	Secret    []byte // shared secret of HS256, HS384 and HS512
	PublicKey []byte // PEM: a public key or a certificate; RSA, ECDSA or Ed25519
	JWKS      string // URL (https, http) or path of a JSON Web Key Set (RFC 7517) of public keys

	// Algorithms lists those accepted; nil: all that fit the keys.
	Algorithms []string
	Issuer     string        // expected "iss"; empty: any
	Audience   []string      // one of these has to be in "aud"; nil: any
	Leeway     time.Duration // how wrong clocks may be
	NameClaim  string        // claim with the user's name; empty: DefaultNameClaim
	Refresh    time.Duration // between two reads of JWKS; 0: DefaultRefresh
	Revoked    []string      // ids of keys ("kid") whose tokens are refused
	Warn       time.Duration // how long before its token ends a client is told; 0: it is not

	// Client fetches JWKS; nil means one with proper bounds. For tests.
	Client *http.Client
	// Logger gets warnings about keys that cannot be had. Nil: nothing is logged.
	Logger *slog.Logger
}

// An Identity is who a token says its bearer is.
type Identity struct {
	Name    string    `json:"name"`
	Subject string    `json:"sub,omitempty"`
	Expires time.Time `json:"-"` // leeway included; zero: never

	Admin json.RawMessage `json:"_admin,omitempty"` // see CarryAdmin

	keyID string // of the token; empty: it names none
}

// Verifier checks tokens.
type Verifier struct {
	opts   Options
	keys   keySource
	parser *jwt.Parser
	stats  stats
}

type stats struct {
	accepted, missing, malformed, signature, expired, claims, noKeys, ended, renewed, revoked atomic.Uint64
}

// Stats counts what happened since the verifier was made.
type Stats struct {
	Accepted         uint64 // CONNECTs let in
	RefusedMissing   uint64 // no token
	RefusedMalformed uint64 // not a token
	RefusedSignature uint64 // wrong signature, unknown key, algorithm not accepted
	RefusedExpired   uint64 // too old
	RefusedClaims    uint64 // too young, wrong issuer, audience or name
	RefusedNoKeys    uint64 // there were no keys to check with
	Expired          uint64 // clients disconnected since their token expired
	Renewed          uint64 // tokens renewed by clients that stayed
	Revoked          uint64 // clients disconnected since their token's key was revoked
	KeyReads         uint64 // reads of the JWKS
	KeyReadFailures  uint64 // of these, without a result
	Keys             int64  // usable keys now
}

// keySource finds keys for a token.
type keySource interface {
	find(ctx context.Context, kid, alg string) ([]jwt.VerificationKey, error)
	kinds() []string // algorithms that may be of use with its keys
	stats(*Stats)
	close()
}

// New returns a verifier. With a URL as JWKS it does not wait for the keys, and an error in them
// comes in the log; everything else that is wrong with the options is an error, which says what
// to do.
func New(o Options) (*Verifier, error) {
	if o.NameClaim == "" {
		o.NameClaim = DefaultNameClaim
	}
	if o.Refresh <= 0 {
		o.Refresh = DefaultRefresh
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	keys, err := newKeySource(o)
	if err != nil {
		return nil, err
	}
	algorithms := o.Algorithms
	if len(algorithms) == 0 {
		algorithms = keys.kinds()
	}
	for _, alg := range algorithms {
		if !slices.Contains(keys.kinds(), alg) {
			keys.close()
			return nil, fmt.Errorf("the algorithm %q does not fit the key: with it are possible %v", alg, keys.kinds())
		}
	}
	parserOptions := []jwt.ParserOption{jwt.WithValidMethods(algorithms), jwt.WithLeeway(o.Leeway), jwt.WithJSONNumber()}
	if o.Issuer != "" {
		parserOptions = append(parserOptions, jwt.WithIssuer(o.Issuer))
	}
	if len(o.Audience) > 0 {
		parserOptions = append(parserOptions, jwt.WithAudience(o.Audience...))
	}
	return &Verifier{opts: o, keys: keys, parser: jwt.NewParser(parserOptions...)}, nil
}

func newKeySource(o Options) (keySource, error) {
	given := 0
	for _, there := range []bool{len(o.Secret) > 0, len(o.PublicKey) > 0, o.JWKS != ""} {
		if there {
			given++
		}
	}
	switch {
	case given != 1:
		return nil, errors.New("give exactly one of a secret, a public key and a key set")
	case len(o.Secret) > 0:
		if len(o.Secret) < sha256Size {
			o.Logger.Warn("the secret that tokens are signed with is short: use 32 random bytes or more", "bytes", len(o.Secret))
		}
		return secretKey(o.Secret), nil
	case len(o.PublicKey) > 0:
		return parsePublicKey(o.PublicKey)
	}
	return newKeySet(o)
}

// Verify returns who the bearer of a token is, or a *Refusal. It waits only for keys, as the
// package documentation says, and until ctx ends.
func (v *Verifier) Verify(ctx context.Context, token string) (*Identity, error) {
	identity, err := v.verify(ctx, token)
	if err != nil {
		return nil, v.refused(err)
	}
	v.stats.accepted.Add(1)
	return identity, nil
}

// refused counts a refusal.
func (v *Verifier) refused(err error) *Refusal {
	refusal := reason(err)
	refusal.which(v).Add(1)
	return refusal
}

func (v *Verifier) verify(ctx context.Context, token string) (*Identity, error) {
	switch {
	case token == "":
		return nil, ErrMissing
	case len(token) > maxToken:
		return nil, ErrMalformed
	}
	claims := jwt.MapClaims{}
	var kid string
	_, err := v.parser.ParseWithClaims(token, claims, func(t *jwt.Token) (any, error) {
		if _, there := t.Header["crit"]; there {
			return nil, ErrMalformed
		}
		kid, _ = t.Header["kid"].(string)
		if kid != "" && slices.Contains(v.opts.Revoked, kid) {
			return nil, ErrRevoked
		}
		keys, err := v.keys.find(ctx, kid, t.Method.Alg())
		return jwt.VerificationKeySet{Keys: keys}, err
	})
	if err != nil {
		return nil, v.algorithmFirst(token, err)
	}
	identity, err := v.identity(claims)
	if err == nil {
		identity.keyID = kid
	}
	return identity, err
}

// onKeys lets f be called when other keys were read, with what tells those that are known. It has to be called
// before the keys change.
func (v *Verifier) onKeys(f func(known func(keyID string) bool)) {
	if s, ok := v.keys.(*keySet); ok {
		s.changed.Store(&f)
	}
}

// algorithmFirst tells a wrong algorithm from a wrong signature, which the library calls by the
// same name.
func (v *Verifier) algorithmFirst(token string, err error) error {
	if !errors.Is(err, jwt.ErrTokenSignatureInvalid) {
		return err
	}
	t, _, parseErr := v.parser.ParseUnverified(token, jwt.MapClaims{})
	if parseErr == nil && !slices.Contains(v.algorithms(), t.Method.Alg()) {
		return ErrAlgorithm
	}
	return err
}

func (v *Verifier) algorithms() []string {
	if len(v.opts.Algorithms) > 0 {
		return v.opts.Algorithms
	}
	return v.keys.kinds()
}

func (v *Verifier) identity(claims jwt.MapClaims) (*Identity, error) {
	name, _ := claims[v.opts.NameClaim].(string)
	if name == "" {
		return nil, ErrName
	}
	subject, err := claims.GetSubject()
	if err != nil {
		return nil, ErrClaims
	}
	expires, err := claims.GetExpirationTime()
	if err != nil {
		return nil, ErrClaims
	}
	identity := &Identity{Name: name, Subject: subject}
	if expires != nil {
		identity.Expires = expires.Add(v.opts.Leeway)
	}
	return identity, nil
}

// Ready returns nil when there are keys to check tokens with. It does not block.
func (v *Verifier) Ready() error {
	var s Stats
	if v.keys.stats(&s); s.Keys == 0 {
		return errors.New("the keys that tokens are checked with could not be read yet")
	}
	return nil
}

// Stats returns the counters.
func (v *Verifier) Stats() Stats {
	s := Stats{
		Accepted:         v.stats.accepted.Load(),
		RefusedMissing:   v.stats.missing.Load(),
		RefusedMalformed: v.stats.malformed.Load(),
		RefusedSignature: v.stats.signature.Load(),
		RefusedExpired:   v.stats.expired.Load(),
		RefusedClaims:    v.stats.claims.Load(),
		RefusedNoKeys:    v.stats.noKeys.Load(),
		Expired:          v.stats.ended.Load(),
		Renewed:          v.stats.renewed.Load(),
		Revoked:          v.stats.revoked.Load(),
	}
	v.keys.stats(&s)
	return s
}

// Close ends the reading of keys and waits for it. It may be called again.
func (v *Verifier) Close() { v.keys.close() }

package auth

import (
	"errors"
	"sync/atomic"

	"github.com/golang-jwt/jwt/v5"
)

// A Refusal is why a token is not accepted: a code for programs, a sentence for developers. It
// never holds anything of the token.
type Refusal struct {
	Code string
	Text string
	// which counts it.
	which func(*Verifier) *atomic.Uint64
}

func (r *Refusal) Error() string { return r.Text }

// The refusals there are. Each is a value to compare with errors.Is.
var (
	ErrMissing = &Refusal{"token_missing", "authentication is required: send a token as auth.token, as ?token= or as Authorization: Bearer",
		func(v *Verifier) *atomic.Uint64 { return &v.stats.missing }}
	ErrMalformed = &Refusal{"token_malformed", "the token is not a JSON Web Token in its compact form",
		func(v *Verifier) *atomic.Uint64 { return &v.stats.malformed }}
	ErrAlgorithm = &Refusal{"token_algorithm", "the token is signed with an algorithm that is not accepted here",
		func(v *Verifier) *atomic.Uint64 { return &v.stats.signature }}
	ErrKeyUnknown = &Refusal{"token_key_unknown", "the token is signed with a key that is not known here",
		func(v *Verifier) *atomic.Uint64 { return &v.stats.signature }}
	ErrSignature = &Refusal{"token_signature", "the token's signature is wrong",
		func(v *Verifier) *atomic.Uint64 { return &v.stats.signature }}
	ErrExpired = &Refusal{"token_expired", "the token has expired: get a new one",
		func(v *Verifier) *atomic.Uint64 { return &v.stats.expired }}
	ErrNotYet = &Refusal{"token_not_yet_valid", "the token is not valid yet",
		func(v *Verifier) *atomic.Uint64 { return &v.stats.claims }}
	ErrIssuer = &Refusal{"token_issuer", "the token is of another issuer than the one expected here",
		func(v *Verifier) *atomic.Uint64 { return &v.stats.claims }}
	ErrAudience = &Refusal{"token_audience", "the token is meant for another audience",
		func(v *Verifier) *atomic.Uint64 { return &v.stats.claims }}
	ErrRequired = &Refusal{"token_claim_missing", "the token lacks the issuer (iss) or audience (aud) that is expected here",
		func(v *Verifier) *atomic.Uint64 { return &v.stats.claims }}
	ErrClaims = &Refusal{"token_claims", "a claim of the token has the wrong type",
		func(v *Verifier) *atomic.Uint64 { return &v.stats.claims }}
	ErrName = &Refusal{"token_name", "the token has no claim with the user's name",
		func(v *Verifier) *atomic.Uint64 { return &v.stats.claims }}
	ErrRevoked = &Refusal{"token_revoked", "the key that the token is signed with is not accepted any more: get a new token",
		func(v *Verifier) *atomic.Uint64 { return &v.stats.signature }}
	ErrSubject = &Refusal{"token_subject", "a token can be renewed by one of the same user only: reconnect with this one",
		func(v *Verifier) *atomic.Uint64 { return &v.stats.claims }}
	ErrTooOften = &Refusal{"refresh_too_often", "a token was sent just now: wait a second",
		func(v *Verifier) *atomic.Uint64 { return &v.stats.claims }}
	ErrNoKeys = &Refusal{"keys_unavailable", "tokens cannot be checked at this moment; try again later",
		func(v *Verifier) *atomic.Uint64 { return &v.stats.noKeys }}
)

// reason translates what the library says. Its errors are joined: the order is that in which a
// developer wants to hear of them.
func reason(err error) *Refusal {
	var own *Refusal
	if errors.As(err, &own) {
		return own
	}
	for _, tt := range []struct {
		library error
		reason  *Refusal
	}{
		{jwt.ErrTokenMalformed, ErrMalformed},
		{jwt.ErrTokenUnverifiable, ErrAlgorithm}, // no such algorithm
		{jwt.ErrTokenSignatureInvalid, ErrSignature},
		{jwt.ErrInvalidType, ErrClaims},
		{jwt.ErrTokenExpired, ErrExpired},
		{jwt.ErrTokenNotValidYet, ErrNotYet},
		{jwt.ErrTokenInvalidIssuer, ErrIssuer},
		{jwt.ErrTokenInvalidAudience, ErrAudience},
		{jwt.ErrTokenRequiredClaimMissing, ErrRequired},
	} {
		if errors.Is(err, tt.library) {
			return tt.reason
		}
	}
	return ErrClaims
}

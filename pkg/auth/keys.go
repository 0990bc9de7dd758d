package auth

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"

	"github.com/golang-jwt/jwt/v5"
)

const sha256Size = sha256.Size

// Algorithms are those of RFC 7518 and RFC 8037 that can be accepted.
var (
	hmacAlgorithms = []string{"HS256", "HS384", "HS512"}
	rsaAlgorithms  = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
	publicKinds    = append(slices.Clone(rsaAlgorithms), "ES256", "ES384", "ES512", "EdDSA")
)

// Algorithms lists all that can be accepted.
func Algorithms() []string { return append(slices.Clone(hmacAlgorithms), publicKinds...) }

// Shorter keys can be broken (RFC 7518, section 3.3); with longer ones each token would take long to check.
const (
	minRSABits = 2048
	maxRSABits = 16384
)

// algorithmsOf returns what a public key can verify, nil for a kind that is not known. An elliptic
// curve has one algorithm each (RFC 7518, section 3.4).
func algorithmsOf(key crypto.PublicKey) []string {
	switch key := key.(type) {
	case *rsa.PublicKey:
		if n := key.N.BitLen(); n >= minRSABits && n <= maxRSABits {
			return rsaAlgorithms
		}
	case *ecdsa.PublicKey:
		switch key.Curve.Params().BitSize {
		case 256:
			return []string{"ES256"}
		case 384:
			return []string{"ES384"}
		case 521:
			return []string{"ES512"}
		}
	case ed25519.PublicKey:
		return []string{"EdDSA"}
	}
	return nil
}

// secretKey is the shared secret of HMAC.
type secretKey []byte

func (k secretKey) find(_ context.Context, _, alg string) ([]jwt.VerificationKey, error) {
	if !slices.Contains(hmacAlgorithms, alg) {
		return nil, ErrAlgorithm
	}
	return []jwt.VerificationKey{[]byte(k)}, nil
}
func (k secretKey) kinds() []string { return hmacAlgorithms }
func (k secretKey) stats(s *Stats)  { s.Keys = 1 }
func (k secretKey) close()          {}

// publicKey is a single key. A "kid" in the token is of no interest.
type publicKey struct{ key crypto.PublicKey }

func (k publicKey) find(_ context.Context, _, alg string) ([]jwt.VerificationKey, error) {
	if !slices.Contains(algorithmsOf(k.key), alg) {
		return nil, ErrAlgorithm
	}
	return []jwt.VerificationKey{k.key}, nil
}
func (k publicKey) kinds() []string { return algorithmsOf(k.key) }
func (k publicKey) stats(s *Stats)  { s.Keys = 1 }
func (k publicKey) close()          {}

// parsePublicKey reads one key in PEM.
func parsePublicKey(text []byte) (keySource, error) {
	block, rest := pem.Decode(text)
	if block == nil {
		return nil, errors.New("the key is not in PEM form (-----BEGIN PUBLIC KEY-----)")
	}
	if next, _ := pem.Decode(rest); next != nil && block.Type != "CERTIFICATE" {
		return nil, errors.New("there is more than one key; use a JSON Web Key Set for several")
	}
	key, err := parseBlock(block)
	if err != nil {
		return nil, err
	}
	if algorithmsOf(key) == nil {
		return nil, fmt.Errorf("a key of this kind cannot be used: RSA with %d to %d bits, ECDSA (P-256, P-384, P-521) and Ed25519 can", minRSABits, maxRSABits)
	}
	return publicKey{key}, nil
}

func parseBlock(block *pem.Block) (key crypto.PublicKey, err error) {
	switch block.Type {
	case "PUBLIC KEY":
		key, err = x509.ParsePKIXPublicKey(block.Bytes)
	case "RSA PUBLIC KEY":
		key, err = x509.ParsePKCS1PublicKey(block.Bytes)
	case "CERTIFICATE":
		var c *x509.Certificate
		if c, err = x509.ParseCertificate(block.Bytes); err == nil {
			key = c.PublicKey
		}
	default:
		return nil, fmt.Errorf("a %s is in the file: give the public key (openssl pkey -pubout makes it)", block.Type)
	}
	if err != nil {
		return nil, fmt.Errorf("the key cannot be read: %w", err)
	}
	return key, nil
}

package forward

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// greeting opens every connection; its digit is the version of all that follows.
const greeting = "SCF1"

const (
	nonceLen = 32
	macLen   = sha256.Size
	helloLen = 2*tagLen + nonceLen // to, from, nonce2
)

// proveTimeout is how long a newcomer at the internal listener may take.
const proveTimeout = 2 * time.Second

var errDenied = errors.New("the other end is not the instance that was meant, or knows another secret (CLUSTER_SECRET must be the same everywhere)")

// The lengths of a secret, in bytes.
const (
	minSecret = 16
	maxSecret = 4096
)

var errShortSecret = errors.New("the secret of the instances (CLUSTER_SECRET) must have at least 16 characters")

// secrets are what proves membership. The first is what this instance uses; the
// one before it is understood as well, as the others may not have changed yet.
type secrets struct {
	mu        sync.Mutex
	now, then []byte // nil: none yet
}

func (s *secrets) set(secret []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !hmac.Equal(secret, s.now) {
		s.now, s.then = secret, s.now
	}
}

// current is nil before there is one.
func (s *secrets) current() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

// verify returns the secret that mac was made with over parts, or nil.
func (s *secrets) verify(mac []byte, parts ...string) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, secret := range [][]byte{s.now, s.then} {
		if secret != nil && hmac.Equal(mac, sign(secret, parts...)) {
			return secret
		}
	}
	return nil
}

// sign authenticates parts. Where they are used they have fixed lengths, or
// only the last has not, so that they cannot be cut differently.
func sign(secret []byte, parts ...string) []byte {
	h := hmac.New(sha256.New, secret)
	for _, p := range parts {
		_, _ = io.WriteString(h, p) // never fails
	}
	return h.Sum(nil)
}

// entryMAC authenticates a registry entry.
func entryMAC(secret []byte, tag, addr string) []byte {
	return sign(secret, "entry", tag, addr)
}

func hexMAC(text string) []byte {
	mac, err := hex.DecodeString(text)
	if err != nil {
		return nil // equals no mac
	}
	return mac
}

// prove is the front's part of the handshake: it connects from to the instance
// to. The caller bounds it by a deadline of nc.
func (s *secrets) prove(nc net.Conn, to, from string) error {
	secret := s.current()
	if secret == nil {
		return fmt.Errorf("no secret yet, Redis was not reached: %w", errDenied)
	}
	var hello [len(greeting) + nonceLen]byte
	if _, err := io.ReadFull(nc, hello[:]); err != nil {
		return err
	}
	if string(hello[:len(greeting)]) != greeting {
		return errDenied
	}
	nonce1, nonce2 := string(hello[len(greeting):]), newNonce()
	proof := append([]byte(to+from+nonce2), sign(secret, "front", to, from, nonce1, nonce2)...)
	if _, err := nc.Write(proof); err != nil {
		return err
	}
	var answer [macLen]byte
	switch _, err := io.ReadFull(nc, answer[:]); {
	case errors.Is(err, io.EOF): // it hangs up on those that are wrong
		return errDenied
	case err != nil:
		return err
	case !hmac.Equal(answer[:], sign(secret, "owner", to, from, nonce1, nonce2)):
		return errDenied
	}
	return nil
}

// check is the owner's part; self is its tag.
func (s *secrets) check(nc net.Conn, self string) error {
	nonce1 := newNonce()
	if _, err := nc.Write([]byte(greeting + nonce1)); err != nil {
		return err
	}
	var proof [helloLen + macLen]byte
	if _, err := io.ReadFull(nc, proof[:]); err != nil {
		return err
	}
	to, from := string(proof[:tagLen]), string(proof[tagLen:2*tagLen])
	nonce2 := string(proof[2*tagLen : helloLen])
	secret := s.verify(proof[helloLen:], "front", to, from, nonce1, nonce2)
	if secret == nil || to != self {
		return errDenied
	}
	_, err := nc.Write(sign(secret, "owner", to, from, nonce1, nonce2))
	return err
}

func newNonce() string {
	var b [nonceLen]byte
	_, _ = rand.Read(b[:]) // never fails
	return string(b[:])
}

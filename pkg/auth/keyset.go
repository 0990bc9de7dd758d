package auth

import (
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/golang-jwt/jwt/v5"

	"socketio-chat/pkg/boundedfile"
	"socketio-chat/pkg/ratelog"
)

const (
	// fetchTimeout bounds one read of the keys, from the first packet to the last byte.
	fetchTimeout = 10 * time.Second
	// maxKeySet bounds its size, in bytes.
	maxKeySet = 1 << 20
	// maxKeys bounds how many are kept, and tried.
	maxKeys = 100
	// refetchAfter is the least time between two reads that tokens of unknown keys cause.
	refetchAfter = 10 * time.Second
	// retryAfter is how soon a read is tried again while there are no keys at all.
	retryAfter = 5 * time.Second
)

// A keySet is a JSON Web Key Set that is read again from time to time.
type keySet struct {
	// Static after construction.
	read    func(context.Context) ([]byte, error)
	refresh time.Duration
	log     ratelog.Log
	stop    context.CancelFunc
	stopped chan struct{} // closed when run has returned
	wanted  chan struct{} // capacity 1: a token asks for newer keys

	keys            atomic.Pointer[[]setKey]
	reads, failures atomic.Uint64

	changed atomic.Pointer[func(known func(keyID string) bool)] // called when other keys were read; nil: nobody

	mu   sync.Mutex    // guards the rest
	last time.Time     // when the last read ended
	done chan struct{} // closed when the next read has ended
}

// setKey is one usable key of the set.
type setKey struct {
	id         string
	algorithms []string
	key        crypto.PublicKey
}

// newKeySet reads a file at once; a URL is left to run.
func newKeySet(o Options) (keySource, error) {
	s := &keySet{
		refresh: o.Refresh, log: ratelog.Log{Logger: o.Logger},
		stopped: make(chan struct{}), wanted: make(chan struct{}, 1), done: make(chan struct{}),
	}
	remote := strings.HasPrefix(o.JWKS, "https://") || strings.HasPrefix(o.JWKS, "http://")
	if remote {
		if strings.HasPrefix(o.JWKS, "http://") {
			o.Logger.Warn("the keys that tokens are checked with come by http: anybody on the way can make up users; use https")
		}
		s.read = fetcher(o.JWKS, o.Client)
	} else {
		s.read = func(context.Context) ([]byte, error) { return boundedfile.Read(o.JWKS, maxKeySet) }
		if err := s.load(context.Background()); err != nil {
			return nil, err
		}
	}
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	go s.run(ctx, remote)
	return s, nil
}

// run reads the keys every refresh, and when they are wanted, until ctx ends.
func (s *keySet) run(ctx context.Context, now bool) {
	defer close(s.stopped)
	timer := time.NewTimer(s.refresh)
	defer timer.Stop()
	if now {
		timer.Reset(0)
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-s.wanted:
		}
		if err := s.load(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("keys", "the keys that tokens are checked with could not be read; those read before stay in use",
				slog.Any("error", err), slog.Int("keys", len(s.current())))
		}
		timer.Reset(s.next())
	}
}

func (s *keySet) next() time.Duration {
	if len(s.current()) == 0 {
		return retryAfter
	}
	return s.refresh
}

func (s *keySet) current() []setKey {
	if list := s.keys.Load(); list != nil {
		return *list
	}
	return nil
}

// load reads the keys once and wakes those that wait for that. An error leaves the old keys in use.
func (s *keySet) load(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	s.reads.Add(1)
	text, err := s.read(ctx)
	if err == nil {
		var list []setKey
		if list, err = parseKeySet(text); err == nil {
			s.replace(list)
		}
	}
	if err != nil {
		s.failures.Add(1)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = time.Now()
	close(s.done)
	s.done = make(chan struct{})
	return err
}

// replace puts keys in use, and tells the guard, if there is one, which keys are known now.
func (s *keySet) replace(list []setKey) {
	s.keys.Store(&list)
	f := s.changed.Load()
	if f == nil {
		return
	}
	(*f)(func(keyID string) bool {
		// A key without an id may be any.
		return slices.ContainsFunc(list, func(k setKey) bool { return k.id == "" || k.id == keyID })
	})
}

// parseKeySet returns the keys of a set that can verify signatures. Others are passed over: sets
// have keys for encryption too, and of kinds that are yet to come.
func parseKeySet(text []byte) ([]setKey, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, fmt.Errorf("not a JSON Web Key Set ({\"keys\":[…]}): %w", err)
	}
	var list []setKey
	for _, raw := range set.Keys {
		jwk, err := jwkset.NewJWKFromRawJSON(raw, jwkset.JWKMarshalOptions{}, jwkset.JWKValidateOptions{})
		if err != nil {
			continue
		}
		m := jwk.Marshal()
		algorithms := algorithmsOf(jwk.Key())
		if m.ALG != "" {
			fits := slices.Contains(algorithms, m.ALG.String())
			if algorithms = nil; fits {
				algorithms = []string{m.ALG.String()}
			}
		}
		verifies := len(m.KEYOPS) == 0 || slices.Contains(m.KEYOPS, jwkset.KeyOpsVerify)
		if len(algorithms) == 0 || !verifies || m.USE != "" && m.USE != jwkset.UseSig {
			continue
		}
		if list = append(list, setKey{m.KID, algorithms, jwk.Key()}); len(list) == maxKeys {
			break
		}
	}
	if len(list) == 0 {
		return nil, errors.New("the key set has no public key that can be used (RSA with 2048 to 16384 bits, ECDSA, Ed25519; for signatures)")
	}
	return list, nil
}

// find returns the keys that a token may be signed with: those of its kid; all, if either has none.
// When there is none the keys are read anew, within bounds.
func (s *keySet) find(ctx context.Context, kid, alg string) ([]jwt.VerificationKey, error) {
	found := s.search(kid, alg)
	if len(found) > 0 {
		return found, nil
	}
	if err := s.reload(ctx); err != nil {
		return nil, err
	}
	if found = s.search(kid, alg); len(found) > 0 {
		return found, nil
	}
	if len(s.current()) == 0 {
		return nil, ErrNoKeys
	}
	return nil, ErrKeyUnknown
}

func (s *keySet) search(kid, alg string) (found []jwt.VerificationKey) {
	for _, k := range s.current() {
		if (kid == "" || k.id == "" || k.id == kid) && slices.Contains(k.algorithms, alg) {
			found = append(found, k.key)
		}
	}
	return found
}

// reload asks run for a read and waits for its end, unless the last one was just now.
func (s *keySet) reload(ctx context.Context) error {
	s.mu.Lock()
	if !s.last.IsZero() && time.Since(s.last) < refetchAfter {
		s.mu.Unlock()
		return nil
	}
	done := s.done
	s.mu.Unlock()
	select {
	case s.wanted <- struct{}{}:
	default: // asked already
	}
	select {
	case <-done:
		return nil
	case <-s.stopped:
		return ErrNoKeys
	case <-ctx.Done():
		return ErrNoKeys
	}
}

func (s *keySet) kinds() []string { return publicKinds }

func (s *keySet) stats(to *Stats) {
	to.Keys = int64(len(s.current()))
	to.KeyReads, to.KeyReadFailures = s.reads.Load(), s.failures.Load()
}

func (s *keySet) close() {
	s.stop()
	<-s.stopped
}

func readBounded(r io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxKeySet+1))
	if err == nil && len(text) > maxKeySet {
		return nil, fmt.Errorf("larger than %d bytes", maxKeySet)
	}
	return text, err
}

// fetcher reads a URL.
func fetcher(url string, client *http.Client) func(context.Context) ([]byte, error) {
	if client == nil {
		client = &http.Client{CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if len(via) > 3 || r.URL.Hostname() != via[0].URL.Hostname() || via[0].URL.Scheme == "https" && r.URL.Scheme != "https" {
				return errors.New("redirected too often, to another host, or from https to http: AUTH_JWT_JWKS should be where the keys are")
			}
			return nil
		}}
	}
	return func(ctx context.Context) ([]byte, error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return nil, err
		}
		r.Header.Set("Accept", "application/jwk-set+json, application/json")
		r.Close = true // every quarter of an hour: no connection is worth keeping
		answer, err := client.Do(r)
		if err != nil {
			return nil, err
		}
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("the key set's server answers %s", answer.Status)
		}
		return readBounded(answer.Body)
	}
}

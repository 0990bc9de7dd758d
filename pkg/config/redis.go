package config

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"os"
	"strconv"
	"time"

	"socketio-chat/pkg/boundedfile"
)

// Redis is what joins several instances, and how they use it.
type Redis struct {
	URL  *RedisTarget // nil: Host and Port count
	Host string
	Port int // 0 without Redis

	// What else Host and Port may need. A URL has its own.
	User     string // empty: Redis' default user
	Password Secret // empty: none asked
	DB       int
	Secure   bool // TLS

	CA       *x509.CertPool // those that may sign the servers' certificates; nil: those that this system trusts
	CertFile string         // certificate of this client, with KeyFile; empty: none
	KeyFile  string

	Adapter      RedisAdapter  // how messages go through it
	QueueBytes   int           // of what waits for it; 0: the adapter's default
	Hold         time.Duration // how long that may wait; 0: the adapter's default
	StreamLength int           // entries
	StreamBytes  int
}

// RedisAdapter is how messages go through Redis. All instances of a cluster have the same.
type RedisAdapter string

// The ways: publish and subscribe, its form for a Redis Cluster, and a stream.
const (
	AdapterPubSub  RedisAdapter = "pubsub"
	AdapterSharded RedisAdapter = "sharded"
	AdapterStreams RedisAdapter = "streams"
)

// Configured tells whether there is a Redis; without one the instance stands alone.
func (r Redis) Configured() bool { return r.URL != nil || r.Host != "" && r.Port != 0 }

// Target is where Redis is, by whichever variable it was given.
func (r Redis) Target() RedisTarget {
	if r.URL != nil {
		return *r.URL
	}
	return RedisTarget{
		Kind: RedisServer, Addrs: []string{net.JoinHostPort(r.Host, strconv.Itoa(r.Port))}, TLS: r.Secure,
		User: r.User, Password: r.Password, DB: r.DB,
	}
}

// String is the target without secrets, or "none".
func (r Redis) String() string {
	if !r.Configured() {
		return "none"
	}
	return r.Target().String()
}

// TLS is how to talk to the target's servers, nil for without TLS. The client's
// certificate is read anew for each connection, because it may be renewed meanwhile. The
// server's name is that of the address one connects to.
func (r Redis) TLS() *tls.Config {
	if !r.Target().TLS {
		return nil
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: r.CA}
	if r.CertFile != "" {
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			pair, err := tls.LoadX509KeyPair(r.CertFile, r.KeyFile)
			return &pair, err
		}
	}
	return c
}

// maxAuthorities bounds that file, in bytes: all that browsers trust take a quarter of it.
const maxAuthorities = 1 << 20

// authorities accepts a file of certificates.
func authorities(field func(*Config) **x509.CertPool) kind {
	return kind{
		accepts: "the path of a file with certificates in PEM form",
		set: func(c *Config, path string) error {
			if path == "" {
				return nil
			}
			text, err := boundedfile.Read(path, maxAuthorities)
			if err != nil {
				return err
			}
			pool := x509.NewCertPool()
			if !pool.AppendCertsFromPEM(text) {
				return errors.New("there is no certificate in it")
			}
			*field(c) = pool
			return nil
		},
	}
}

// file accepts the path of a file that can be read.
func file(field func(*Config) *string) kind {
	return kind{
		accepts: "the path of a file in PEM form",
		set: func(c *Config, path string) error {
			if path == "" {
				return nil
			}
			info, err := os.Stat(path)
			if err != nil {
				return err
			}
			if !info.Mode().IsRegular() {
				return errors.New("is no regular file") // it is read again when Redis is dialled
			}
			f, err := os.Open(path)
			if err != nil {
				return err
			}
			*field(c) = path
			return f.Close()
		},
	}
}

// redisOnce: with two addresses one of them would silently not count.
func redisOnce(c *Config) *Problem {
	if c.Redis.URL == nil || c.Redis.Host == "" && c.Redis.Port == 0 {
		return nil
	}
	return &Problem{
		Name:    "REDIS_URL and REDIS_HOST, REDIS_PORT",
		Message: "both say where Redis is; set either the first or the other two",
	}
}

// redisPair: half an address would silently mean an instance that stands alone.
func redisPair(c *Config) *Problem {
	const advice = "set both to join instances through Redis, or neither for one instance in memory"
	switch {
	case c.Redis.URL != nil:
		return nil
	case c.Redis.Host != "" && c.Redis.Port == 0:
		return &Problem{Name: "REDIS_HOST", Message: "is set but REDIS_PORT is not; " + advice}
	case c.Redis.Host == "" && c.Redis.Port != 0:
		return &Problem{Name: "REDIS_PORT", Message: "is set but REDIS_HOST is not; " + advice}
	}
	return nil
}

// redisUser: Redis knows no user without a password.
func redisUser(c *Config) *Problem {
	if c.Redis.User != "" && c.Redis.Password == "" {
		return &Problem{Name: "REDIS_USERNAME", Message: "is set but REDIS_PASSWORD is not; Redis asks a user for a password"}
	}
	return nil
}

// redisIgnored: variables that a Node application's .env may have beside ours say nothing here. Refusing them would break a
// deployment that works; ignoring them silently would cost somebody an afternoon.
func redisIgnored(c *Config) []string {
	reason := "there is no REDIS_HOST"
	switch {
	case c.Redis.URL != nil:
		reason = "REDIS_URL says all about Redis"
	case c.Redis.Configured():
		return nil
	}
	var warnings []string
	for _, name := range []string{"REDIS_USERNAME", "REDIS_PASSWORD", "REDIS_DB", "REDIS_TLS"} {
		if c.IsSet(name) {
			warnings = append(warnings, name+" is ignored: "+reason)
		}
	}
	return warnings
}

// redisTLSFiles: an operator who names a certificate means to be safe, and must not be
// unsafe without knowing.
func redisTLSFiles(c *Config) *Problem {
	r := c.Redis
	switch {
	case r.CA == nil && r.CertFile == "" && r.KeyFile == "":
		return nil
	case !r.Configured() || !r.Target().TLS:
		return &Problem{Name: "REDIS_TLS_CA, REDIS_TLS_CERT and REDIS_TLS_KEY", Message: "have no effect without TLS; set REDIS_TLS=true, or a REDIS_URL that begins with rediss"}
	case (r.CertFile == "") != (r.KeyFile == ""):
		return &Problem{Name: "REDIS_TLS_CERT and REDIS_TLS_KEY", Message: "belong together; set both or neither"}
	case r.CertFile == "":
		return nil
	}
	if _, err := tls.LoadX509KeyPair(r.CertFile, r.KeyFile); err != nil {
		return &Problem{Name: "REDIS_TLS_CERT and REDIS_TLS_KEY", Message: "are no certificate and its private key: " + err.Error()}
	}
	return nil
}

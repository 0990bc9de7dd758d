package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
)

// RedisKind is how the servers behind a RedisTarget are organised.
type RedisKind string

// The kinds of targets.
const (
	RedisServer   RedisKind = "redis"          // one server
	RedisSentinel RedisKind = "redis+sentinel" // the master that Sentinels name
	RedisCluster  RedisKind = "redis+cluster"  // a Redis Cluster
)

// RedisTarget tells where Redis is and how to get in.
type RedisTarget struct {
	Kind  RedisKind
	Unix  bool     // Addrs is the path of a socket
	Addrs []string // host:port of the server, of the Sentinels, or of some nodes of the Cluster
	TLS   bool     // also towards Sentinels

	User     string // empty: Redis' default user
	Password Secret // empty: none asked
	DB       int

	Master           string // its name at the Sentinels
	SentinelUser     string
	SentinelPassword Secret
}

// String is the target without user and passwords, for the log.
func (t RedisTarget) String() string {
	scheme := string(t.Kind)
	switch {
	case t.Unix:
		scheme = "unix"
	case t.TLS:
		scheme = strings.Replace(scheme, "redis", "rediss", 1)
	}
	text := scheme + "://" + strings.Join(t.Addrs, ",")
	if t.DB != 0 && !t.Unix {
		text += fmt.Sprintf("/%d", t.DB)
	}
	if t.Master != "" {
		text += "?master=" + t.Master
	}
	return text
}

// Secret is a text that must not be printed: fmt, slog and encoding/json show "(hidden)".
type Secret string

// String hides the secret; Reveal tells it.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return hidden
}

// GoString hides it from %#v.
func (s Secret) GoString() string { return s.String() }

// MarshalText hides it from encoders.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Reveal returns the secret itself.
func (s Secret) Reveal() string { return string(s) }

const redisURLForms = "redis://[user:pass@]host[:port][/db], unix:///path, redis+sentinel://…?master=m, redis+cluster://…; rediss for TLS"

// redisURL accepts the forms above. Its hints never repeat anything of the value, which
// may hold passwords.
func redisURL(field func(*Config) **RedisTarget) kind {
	return kind{
		accepts: redisURLForms,
		secret:  true,
		set: func(c *Config, text string) error {
			if text == "" {
				return nil
			}
			t, err := parseRedisURL(text)
			if err != nil {
				return err
			}
			*field(c) = t
			return nil
		},
	}
}

// encoded is what most mistakes in such URLs come to.
const encoded = "; characters such as / ? # @ % in a user name or password are written %2F %3F %23 %40 %25"

// parseRedisURL takes
//
//	scheme://[user:password@]host[:port][,host[:port]…][/db][?option=value&…]
//
// apart. net/url does not know lists of hosts, and its errors repeat the text.
func parseRedisURL(text string) (*RedisTarget, error) {
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok {
		return nil, safeHint("it begins with a scheme such as redis://")
	}
	if strings.Contains(rest, "#") {
		return nil, safeHint("it has a # in it" + encoded)
	}
	rest, query, _ := strings.Cut(rest, "?")
	options, err := url.ParseQuery(query)
	if err != nil {
		return nil, safeHint("what follows the question mark is not a list of option=value" + encoded)
	}
	t := &RedisTarget{}
	if t.Kind, t.Unix, t.TLS, ok = redisScheme(scheme); !ok {
		return nil, safeHint("the scheme is none of redis, rediss, unix, redis+sentinel, rediss+sentinel, redis+cluster, rediss+cluster")
	}
	authority, path := rest, ""
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		authority, path = rest[:i], rest[i:]
	}
	hosts := authority
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		hosts = authority[i+1:]
		if err := t.setUser(authority[:i]); err != nil {
			return nil, err
		}
	}
	if t.Unix {
		return t, t.setSocket(hosts, path, options)
	}
	if err := t.setHosts(hosts); err != nil {
		return nil, err
	}
	if path = strings.TrimPrefix(path, "/"); path != "" {
		if err := t.setDB(path); err != nil {
			return nil, err
		}
	}
	return t, t.setOptions(options)
}

func redisScheme(scheme string) (kind RedisKind, unix, tls, ok bool) {
	scheme = strings.ToLower(scheme)
	if scheme == "unix" {
		return RedisServer, true, false, true
	}
	plain := strings.Replace(scheme, "rediss", "redis", 1)
	kind = RedisKind(plain)
	return kind, false, plain != scheme, slices.Contains([]RedisKind{RedisServer, RedisSentinel, RedisCluster}, kind)
}

func (t *RedisTarget) setUser(text string) error {
	user, password, ok := strings.Cut(text, ":")
	if !ok {
		return safeHint("before the @ stands user:password, or :password without a user")
	}
	var errUser, errPassword error
	t.User, errUser = url.PathUnescape(user)
	password, errPassword = url.PathUnescape(password)
	t.Password = Secret(password)
	if errUser != nil || errPassword != nil {
		return safeHint("user or password has a % that begins no code" + encoded)
	}
	if t.User != "" && t.Password == "" {
		return safeHint("there is a user without a password")
	}
	return nil
}

func (t *RedisTarget) setSocket(host, path string, options url.Values) error {
	path, err := url.PathUnescape(path)
	if host != "" || path == "" || err != nil {
		return safeHint("unix: is followed by three slashes and the path of a socket")
	}
	t.Addrs = []string{path}
	if db, ok := options["db"]; ok {
		if err := t.setDB(strings.Join(db, ",")); err != nil {
			return err
		}
		delete(options, "db")
	}
	return t.setOptions(options)
}

func (t *RedisTarget) setHosts(list string) error {
	port := "6379"
	if t.Kind == RedisSentinel {
		port = "26379"
	}
	for i, item := range strings.Split(list, ",") {
		addr, ok := redisAddr(strings.TrimSpace(item), port)
		if !ok {
			return safeHint(fmt.Sprintf("address %d is not host or host:port%s", i+1, encoded))
		}
		if slices.Contains(t.Addrs, addr) {
			return safeHint(fmt.Sprintf("address %d is there twice", i+1))
		}
		t.Addrs = append(t.Addrs, addr)
	}
	if t.Kind == RedisServer && len(t.Addrs) > 1 {
		return safeHint("several addresses belong to redis+sentinel:// or redis+cluster://")
	}
	return nil
}

// redisAddr completes an address with its port. An IPv6 address has brackets.
func redisAddr(text, port string) (string, bool) {
	host := text
	if h, p, err := net.SplitHostPort(text); err == nil {
		if n, err := decimal(p); err != nil || p == "" || n < 1 || n > 65535 {
			return "", false
		}
		host, port = h, p
	} else if bare, ok := strings.CutPrefix(text, "["); ok {
		if host, ok = strings.CutSuffix(bare, "]"); !ok {
			return "", false
		}
	}
	return net.JoinHostPort(host, port), host != "" && isHost(host)
}

func (t *RedisTarget) setDB(text string) error {
	const most = 1<<31 - 1
	n, err := decimal(text)
	if err != nil || n > most {
		return safeHint("the database, after the addresses, is a whole number" + encoded)
	}
	if t.Kind == RedisCluster && n != 0 {
		return safeHint("a Redis Cluster has no database but 0")
	}
	t.DB = int(n)
	return nil
}

// setOptions takes the options, each of which may stand there once.
func (t *RedisTarget) setOptions(options url.Values) error {
	one := func(name string) (string, error) {
		list := options[name]
		delete(options, name)
		if len(list) > 1 {
			return "", safeHint("option " + name + " is there twice")
		}
		return strings.Join(list, ""), nil
	}
	if t.Kind == RedisSentinel {
		password := ""
		for name, to := range map[string]*string{"master": &t.Master, "sentinel_user": &t.SentinelUser, "sentinel_password": &password} {
			value, err := one(name)
			if err != nil {
				return err
			}
			*to = value
		}
		t.SentinelPassword = Secret(password)
		if t.Master == "" {
			return safeHint("with Sentinels, ?master= gives the name of the master")
		}
		if t.SentinelUser != "" && password == "" {
			return safeHint("there is a sentinel_user without a sentinel_password")
		}
	}
	if len(options) > 0 {
		known := map[RedisKind]string{
			RedisServer: "there are none here, but db for unix", RedisCluster: "there are none here",
			RedisSentinel: "there are master, sentinel_user and sentinel_password",
		}
		return safeHint("it has an option that is not known; " + known[t.Kind] + encoded)
	}
	return nil
}

// safeHint is a hint that repeats nothing of the value, so that it may be shown for a
// secret.
type safeHint string

func (h safeHint) Error() string { return string(h) }

// isSafe tells whether a hint may be shown although the value may not.
func isSafe(hint error) bool {
	var safe safeHint
	return errors.As(hint, &safe)
}

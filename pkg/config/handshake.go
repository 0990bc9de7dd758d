package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Handshake is how sessions are opened, as far as Engine does not say it.
type Handshake struct {
	Cookie           string // name of the cookie with the session's id; empty: none
	CookieAttributes string // what follows its value; empty: as in Node
	CookieProtocols  []int  // of 3 and 4, whose clients get it

	Protocols  []int // that are spoken, of 3 and 4
	NoUpgrades bool  // polling clients are not told of WebSocket

	HeadBytes  int // of the request's head, which the session keeps
	Parameters int // in its query
}

func handshakeSection() section {
	return section{"Handshakes", []variable{
		{"SESSION_COOKIE", "io", "Cookie with a polling client's session id, for load balancers with sticky sessions. off: none.",
			cookieName(func(c *Config) *string { return &c.Handshake.Cookie })},
		{"SESSION_COOKIE_ATTRIBUTES", "", "Attributes of that cookie. Empty: Path=/; HttpOnly; SameSite=Strict, for 3.x and 4.x clients SameSite=Lax.",
			cookieAttributes(func(c *Config) *string { return &c.Handshake.CookieAttributes })},
		{"SESSION_COOKIE_PROTOCOLS", "3", "Engine.IO protocols whose clients get the cookie: 3 is clients 1.x and 2.x, 4 is clients 3.x and 4.x.",
			protocols(func(c *Config) *[]int { return &c.Handshake.CookieProtocols })},
		{"PROTOCOLS", "3,4", "Protocol versions that are accepted: 3 is clients 1.x and 2.x, 4 is 3.x and 4.x.",
			protocols(func(c *Config) *[]int { return &c.Handshake.Protocols })},
		{"ALLOW_UPGRADES", "true", "Tell polling clients that they can change to WebSocket.",
			inverted(func(c *Config) *bool { return &c.Handshake.NoUpgrades })},
		{"HANDSHAKE_BYTES", "16384", "Most bytes of a handshake's URL and headers, which its session keeps; 431 above.",
			integer(func(c *Config) *int { return &c.Handshake.HeadBytes }, 1024, 32768)},
		{"HANDSHAKE_PARAMETERS", "100", "Most parameters in a handshake's URL; 400 above.",
			integer(func(c *Config) *int { return &c.Handshake.Parameters }, 10, 10_000)},
	}}
}

// cookieName accepts the name of a cookie, or off for none.
func cookieName(field func(*Config) *string) kind {
	return kind{
		accepts: "the name of a cookie, or off",
		set: func(c *Config, text string) error {
			if strings.EqualFold(text, "off") {
				*field(c) = ""
				return nil
			}
			if len(text) > 64 || strings.ContainsFunc(text, func(r rune) bool { return !isTokenRune(r) }) {
				return errPlain
			}
			*field(c) = text
			return nil
		},
	}
}

// isTokenRune tells what a token of HTTP is made of (RFC 9110, 5.6.2).
func isTokenRune(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("!#$%&'*+-.^_`|~", r)
}

// cookieAttributes accepts the attributes of a cookie as they stand in Set-Cookie.
func cookieAttributes(field func(*Config) *string) kind {
	return kind{
		accepts: "attributes of a cookie such as Path=/; Secure; SameSite=None",
		set: func(c *Config, text string) error {
			var list []string
			for item := range strings.SplitSeq(text, ";") {
				if item = strings.TrimSpace(item); item == "" {
					continue
				}
				if err := checkAttribute(item); err != nil {
					return fmt.Errorf("%s %w", quoted(item), err)
				}
				list = append(list, item)
			}
			*field(c) = strings.Join(list, "; ")
			if sameSiteNone(*field(c)) && !slices.ContainsFunc(list, func(a string) bool { return strings.EqualFold(a, "secure") }) {
				return errors.New("browsers take SameSite=None only together with Secure")
			}
			return nil
		},
	}
}

func sameSiteNone(attributes string) bool {
	return strings.Contains(strings.ToLower(attributes), "samesite=none")
}

// checkAttribute's error continues a sentence that starts with the attribute.
func checkAttribute(item string) error {
	name, value, valued := strings.Cut(item, "=")
	for _, r := range value {
		if r < ' ' || r > '~' || r == ',' {
			return errors.New("has a character that a header cannot hold")
		}
	}
	switch strings.ToLower(name) {
	case "httponly", "secure", "partitioned":
		if valued {
			return errors.New("takes no value")
		}
	case "path", "domain", "max-age":
		if value == "" {
			return errors.New("needs a value")
		}
	case "samesite":
		if !slices.Contains([]string{"strict", "lax", "none"}, strings.ToLower(value)) {
			return errors.New("is none of SameSite=Strict, Lax and None")
		}
	default:
		return errors.New("is no attribute of a cookie that is known here")
	}
	return nil
}

// inverted is boolean for a field that says the opposite.
func inverted(field func(*Config) *bool) kind {
	k := boolean(field)
	set := k.set
	k.set = func(c *Config, text string) error {
		err := set(c, text)
		if err == nil {
			*field(c) = !*field(c)
		}
		return err
	}
	return k
}

// protocols accepts 3 and 4, separated by commas.
func protocols(field func(*Config) *[]int) kind {
	return kind{
		accepts: "3, 4, or 3,4",
		set: func(c *Config, text string) error {
			var list []int
			for _, item := range split(text) {
				n, err := decimal(item)
				if err != nil || n != 3 && n != 4 || slices.Contains(list, int(n)) {
					return errPlain
				}
				list = append(list, int(n))
			}
			if len(list) == 0 {
				return errPlain
			}
			*field(c) = list
			return nil
		},
	}
}

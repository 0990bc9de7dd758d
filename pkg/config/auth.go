package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"socketio-chat/pkg/boundedfile"
)

// Auth is who may join the chat. Without a key everybody may.
type Auth struct {
	Secret     Secret // shared with the maker of the tokens
	FileSecret Secret // the same, from a file
	PublicKey  string // PEM
	JWKS       string // URL or path

	Algorithms []string // empty: all that fit the key
	Issuer     string   // empty: any
	Audience   []string // empty: any
	NameClaim  string
	Leeway     time.Duration
	Refresh    time.Duration // of a JWKS
	Warn       time.Duration // before a token ends
	Revoked    []string      // ids of keys
}

// Configured tells whether a token is needed.
func (a Auth) Configured() bool {
	return a.Secret != "" || a.FileSecret != "" || a.PublicKey != "" || a.JWKS != ""
}

// authVariables gives the key, of which one is enough; the others mean nothing without.
var (
	authKeys     = []string{"AUTH_JWT_SECRET", "AUTH_JWT_SECRET_FILE", "AUTH_JWT_KEY_FILE", "AUTH_JWT_JWKS"}
	authSettings = []string{"AUTH_JWT_ALGORITHMS", "AUTH_JWT_ISSUER", "AUTH_JWT_AUDIENCE", "AUTH_JWT_NAME_CLAIM", "AUTH_JWT_LEEWAY_MS", "AUTH_JWT_REFRESH_MS"}
)

// authSection is a part of the table.
func authSection() section {
	return section{"Authentication (off without a key)", []variable{
		{"AUTH_JWT_SECRET", "", "Secret that tokens are signed with (HS256, HS384, HS512). Use 32 random bytes or more.",
			kind{accepts: "a text", secret: true, set: func(c *Config, text string) error {
				c.Auth.Secret = Secret(text)
				return nil
			}}},
		{"AUTH_JWT_SECRET_FILE", "", "File with that secret, instead of AUTH_JWT_SECRET.",
			contents("a secret", 1<<16, func(c *Config, text string) { c.Auth.FileSecret = Secret(strings.TrimRight(text, "\r\n")) })},
		{"AUTH_JWT_KEY_FILE", "", "File with the public key or certificate that checks tokens signed with a private key (RSA, ECDSA, Ed25519).",
			contents("a public key in PEM form", 1<<20, func(c *Config, text string) { c.Auth.PublicKey = text })},
		{"AUTH_JWT_JWKS", "", "JSON Web Key Set of the token issuer, as a URL or a file. It is read again from time to time.",
			keySet(func(c *Config) *string { return &c.Auth.JWKS })},
		{"AUTH_JWT_ALGORITHMS", "", "Signature algorithms that are accepted. Empty: all that fit the key.",
			algorithms(func(c *Config) *[]string { return &c.Auth.Algorithms })},
		{"AUTH_JWT_ISSUER", "", "Issuer (iss) that a token must have. Empty: any.",
			anyText(func(c *Config) *string { return &c.Auth.Issuer })},
		{"AUTH_JWT_AUDIENCE", "", "Audiences (aud); a token must have one of them. Empty: any.",
			kind{accepts: "texts, separated by commas", set: func(c *Config, text string) error {
				c.Auth.Audience = split(text)
				return nil
			}}},
		{"AUTH_JWT_NAME_CLAIM", "name", "Claim with the user's name. It replaces the name in the user's messages.",
			anyText(func(c *Config) *string { return &c.Auth.NameClaim })},
		{"AUTH_JWT_LEEWAY_MS", "0", "Clock difference that is tolerated when a token's times are checked.",
			milliseconds(func(c *Config) *time.Duration { return &c.Auth.Leeway }, 0, anHour)},
		{"AUTH_JWT_REFRESH_MS", "900000", "Time between two reads of the JWKS. An unknown key id triggers a read at once.",
			milliseconds(func(c *Config) *time.Duration { return &c.Auth.Refresh }, time.Second, aDay)},
		{"AUTH_JWT_WARN_SECONDS", "60", "Time before a token expires at which its client gets auth:expiring; it can then send auth:refresh with a new token. 0: no event.",
			seconds(func(c *Config) *time.Duration { return &c.Auth.Warn }, 0, aDay)},
		{"AUTH_JWT_REVOKED_KEYS", "", "Ids (kid) of keys whose tokens are refused.",
			kind{accepts: "texts, separated by commas", set: func(c *Config, text string) error {
				c.Auth.Revoked = split(text)
				return nil
			}}},
	}}
}

// secretText accepts any text and never shows it.
func secretText(field func(*Config) *Secret) kind {
	return kind{accepts: "a text", secret: true, set: func(c *Config, text string) error {
		*field(c) = Secret(text)
		return nil
	}}
}

func anyText(field func(*Config) *string) kind {
	return kind{accepts: "a text", set: func(c *Config, text string) error {
		*field(c) = text
		return nil
	}}
}

// contents accepts the path of a file and takes what is in it.
func contents(what string, most int64, take func(c *Config, text string)) kind {
	return kind{
		accepts: "the path of a file with " + what,
		set: func(c *Config, path string) error {
			if path == "" {
				return nil
			}
			text, err := boundedfile.Read(path, most)
			if err != nil {
				return err
			}
			if strings.TrimSpace(string(text)) == "" {
				return errors.New("the file is empty")
			}
			take(c, string(text))
			return nil
		},
	}
}

// keySet accepts a URL, or the path of a file.
func keySet(field func(*Config) *string) kind {
	return kind{
		accepts: "https://… or the path of a file",
		set: func(c *Config, text string) error {
			if strings.Contains(text, "://") && !strings.HasPrefix(text, "https://") && !strings.HasPrefix(text, "http://") {
				return errPlain
			}
			*field(c) = text
			return nil
		},
	}
}

// algorithms accepts names of RFC 7518.
func algorithms(field func(*Config) *[]string) kind {
	known := []string{"HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
	return kind{
		accepts: "HS256 to HS512, RS…, PS…, ES…, EdDSA; several separated by commas",
		set: func(c *Config, text string) error {
			list := split(text)
			for i, item := range list {
				at := slices.IndexFunc(known, func(name string) bool { return strings.EqualFold(name, item) })
				if at < 0 {
					return fmt.Errorf("%s is none of them", quoted(item))
				}
				list[i] = known[at]
			}
			*field(c) = list
			return nil
		},
	}
}

// authOneKey: with two it would be unclear which of them lets people in; with settings and no key
// everybody would be let in by somebody who meant the opposite.
func authOneKey(c *Config) *Problem {
	set := func(names []string) (list []string) {
		for _, name := range names {
			if c.IsSet(name) {
				list = append(list, name)
			}
		}
		return list
	}
	keys, others := set(authKeys), set(authSettings)
	switch {
	case len(keys) > 1:
		return &Problem{Name: strings.Join(keys, " and "), Message: "are set; only one can tell how tokens are checked"}
	case len(keys) == 0 && len(others) > 0:
		return &Problem{Name: others[0], Message: "is set, but no key that tokens are checked with; set one of " + orList(authKeys)}
	}
	return nil
}

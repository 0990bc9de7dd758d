package config

import (
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestTrustedProxies(t *testing.T) {
	for _, tt := range []struct {
		text string
		want []string // empty: refused
		hint string
	}{
		{"10.0.0.0/8", []string{"10.0.0.0/8"}, ""},
		{"10.0.0.1, fd00::/8 ,2001:db8::1", []string{"10.0.0.1/32", "fd00::/8", "2001:db8::1/128"}, ""},
		{"::ffff:10.0.0.1", []string{"10.0.0.1/32"}, ""},
		{"10.0.0.1/8", nil, "10.0.0.0/8 is the network"},
		{"0.0.0.0/0", nil, "any client could claim any address"},
		{"10.0.0.0/8,::/0", nil, "any client could claim any address"},
		{"::ffff:10.0.0.0/104", nil, "write it as IPv4"},
		{"*", nil, "neither an address nor a network"},
		{"proxy.internal", nil, "neither an address nor a network"},
		{"10.0.0.0/33", nil, "neither an address nor a network"},
		{"10.0.0.0-10.0.0.9", nil, "neither an address nor a network"},
	} {
		c, err := Load([]string{"TRUSTED_PROXIES=" + tt.text}, "")
		if len(tt.want) == 0 {
			if err == nil || !strings.Contains(err.Error(), tt.hint) {
				t.Errorf("%s: got %v", tt.text, err)
			}
			continue
		}
		var got []string
		for _, prefix := range c.Limits.Proxies {
			got = append(got, prefix.String())
		}
		if err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, %v", tt.text, got, err)
		}
	}
}

func TestLimits(t *testing.T) {
	c, err := Load([]string{"MAX_CONNECTIONS=0", "MAX_CONNECTIONS_PER_ADDRESS=5", "MESSAGES_PER_SECOND=0", "MAX_ATTACHMENTS=1", "HEADER_TIMEOUT_MS=500",
		"TRUSTED_PROXIES=127.0.0.1", "PROXY_HEADER=Forwarded", "CHAT_STRICT=yes", "CHAT_NAME_LENGTH=0"}, "")
	if err != nil {
		t.Fatal(err)
	}
	l := c.Limits
	if l.Connections != 0 || l.AddressConnections != 5 || l.Messages != 0 || l.Attachments != 1 || l.HeaderTime != 500*time.Millisecond ||
		l.ProxyHeader != Forwarded || !slices.Equal(l.Proxies, []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}) ||
		!c.Chat.Strict || c.Chat.NameLength != 0 {
		t.Errorf("got %+v, %+v", l, c.Chat)
	}
	for _, environ := range []string{"MAX_CONNECTIONS=-1", "MAX_ATTACHMENTS=0", "MESSAGES_PER_SECOND=1e3", "PROXY_HEADER=x-real-ip", "HEADER_TIMEOUT_MS=1", "CHAT_STRICT=maybe"} {
		if _, err := Load([]string{environ}, ""); err == nil {
			t.Errorf("%s accepted", environ)
		}
	}
}

func TestAuth(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	secret := "AUTH_JWT_SECRET=not for the log"
	c, err := Load([]string{secret, "AUTH_JWT_ALGORITHMS=hs256, HS512", "AUTH_JWT_AUDIENCE=a,b", "AUTH_JWT_LEEWAY_MS=0"}, "")
	if err != nil || !c.Auth.Configured() || c.Auth.Secret.Reveal() != "not for the log" || !slices.Equal(c.Auth.Algorithms, []string{"HS256", "HS512"}) || len(c.Auth.Audience) != 2 {
		t.Errorf("got %+v, %v", c.Auth, err)
	}
	if shown := c.LogValue().String(); strings.Contains(shown, "not for") {
		t.Errorf("the log shows %s", shown)
	}
	c, err = Load([]string{"AUTH_JWT_SECRET_FILE=" + file("secret", "from a file\n")}, "")
	if err != nil || c.Auth.FileSecret.Reveal() != "from a file" || !c.Auth.Configured() {
		t.Errorf("got %+v, %v", c.Auth, err)
	}
	c, err = Load([]string{"AUTH_JWT_KEY_FILE=" + file("key", "-----BEGIN…")}, "")
	if err != nil || c.Auth.PublicKey != "-----BEGIN…" {
		t.Errorf("got %+v, %v", c.Auth, err)
	}
	if c, err := Load(nil, ""); err != nil || c.Auth.Configured() {
		t.Errorf("got %+v, %v", c.Auth, err)
	}

	for _, tt := range []struct {
		environ []string
		want    string
	}{
		{[]string{secret, "AUTH_JWT_JWKS=https://id.example/keys"}, "AUTH_JWT_SECRET and AUTH_JWT_JWKS: are set; only one"},
		{[]string{"AUTH_JWT_ISSUER=https://id.example/"}, "AUTH_JWT_ISSUER: is set, but no key"},
		{[]string{"AUTH_JWT_ALGORITHMS=none", secret}, `"none" is none of them`},
		{[]string{"AUTH_JWT_JWKS=ftp://id.example/keys"}, "AUTH_JWT_JWKS"},
		{[]string{"AUTH_JWT_KEY_FILE=" + filepath.Join(dir, "nowhere")}, "no such file"},
		{[]string{"AUTH_JWT_SECRET_FILE=" + file("empty", "\n")}, "the file is empty"},
		{[]string{"AUTH_JWT_SECRET_FILE=" + file("huge", strings.Repeat("x", 1<<16+1))}, "more than"},
		{[]string{"AUTH_JWT_SECRET_FILE=" + dir}, "AUTH_JWT_SECRET_FILE"},
	} {
		if _, err := Load(tt.environ, ""); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: got %v", tt.environ, err)
		}
	}
}

// Origins are compared as browsers write them.
func TestOriginsAsBrowsersWriteThem(t *testing.T) {
	for text, want := range map[string]string{
		"http://[2001:DB8:0:0::1]:3000":    "http://[2001:db8::1]:3000",
		"https://[::1]:443":                "https://[::1]",
		"https://xn--bcher-kva.example":    "https://xn--bcher-kva.example",
		"https://chat.example.":            "https://chat.example.",
		"HTTPS://Chat.Example":             "https://chat.example",
		"https://user@chat.example":        "",
		"https://chat.example/":            "",
		"https://chat.example?x":           "",
		"https://*.chat.example":           "",
		"null":                             "",
		"chat.example":                     "",
		"https://chat.example:443:443":     "",
		"https://chat.example%2eevil.test": "",
	} {
		c, err := Load([]string{"CORS_ORIGINS=" + text}, "")
		switch {
		case want == "" && err == nil:
			t.Errorf("%s: became %q", text, c.Engine.Origins)
		case want != "" && (err != nil || !slices.Equal(c.Engine.Origins, []string{want})):
			t.Errorf("%s: got %q, %v", text, c.Engine.Origins, err)
		}
	}
}

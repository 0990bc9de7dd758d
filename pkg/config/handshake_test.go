package config

import (
	"slices"
	"strings"
	"testing"
)

func TestSessionCookie(t *testing.T) {
	for _, tt := range []struct {
		environ string
		want    Handshake // with the defaults where it is empty
		problem string
	}{
		{"SESSION_COOKIE=SRV", Handshake{Cookie: "SRV"}, ""},
		{"SESSION_COOKIE=Off", Handshake{Cookie: "none"}, ""},
		{"SESSION_COOKIE=a b", Handshake{}, "the name of a cookie"},
		{"SESSION_COOKIE=a;b", Handshake{}, "the name of a cookie"},
		{"SESSION_COOKIE=é", Handshake{}, "the name of a cookie"},
		{"SESSION_COOKIE=" + strings.Repeat("x", 65), Handshake{}, "the name of a cookie"},
		{"SESSION_COOKIE_ATTRIBUTES=Path=/ ;Secure;; SameSite=None;", Handshake{CookieAttributes: "Path=/; Secure; SameSite=None"}, ""},
		{"SESSION_COOKIE_ATTRIBUTES=SameSite=none", Handshake{}, "together with Secure"},
		{"SESSION_COOKIE_ATTRIBUTES=SameSite=maybe", Handshake{}, "is none of"},
		{"SESSION_COOKIE_ATTRIBUTES=Secure=1", Handshake{}, "takes no value"},
		{"SESSION_COOKIE_ATTRIBUTES=Path", Handshake{}, "needs a value"},
		{"SESSION_COOKIE_ATTRIBUTES=Path=/\r\nX: y", Handshake{}, "cannot hold"},
		{"SESSION_COOKIE_ATTRIBUTES=Pfad=/", Handshake{}, "is no attribute"},
		{"SESSION_COOKIE_PROTOCOLS=4", Handshake{CookieProtocols: []int{4}}, ""},
		{"SESSION_COOKIE_PROTOCOLS=3, 4", Handshake{CookieProtocols: []int{3, 4}}, ""},
		{"SESSION_COOKIE_PROTOCOLS=5", Handshake{}, "3, 4, or 3,4"},
		{"SESSION_COOKIE_PROTOCOLS=3,3", Handshake{}, "3, 4, or 3,4"},
		{"SESSION_COOKIE_PROTOCOLS=,", Handshake{}, "3, 4, or 3,4"},
	} {
		c, err := Load([]string{tt.environ}, "")
		if tt.problem != "" {
			if err == nil || !strings.Contains(err.Error(), tt.problem) {
				t.Errorf("%q: got %v, want %q", tt.environ, err, tt.problem)
			}
			continue
		}
		want := tt.want
		switch want.Cookie {
		case "":
			want.Cookie = "io"
		case "none":
			want.Cookie = ""
		}
		if want.CookieProtocols == nil {
			want.CookieProtocols = []int{3}
		}
		if got := c.Handshake; err != nil || got.Cookie != want.Cookie || got.CookieAttributes != want.CookieAttributes || !slices.Equal(got.CookieProtocols, want.CookieProtocols) {
			t.Errorf("%q: got %+v, %v", tt.environ, got, err)
		}
	}
}

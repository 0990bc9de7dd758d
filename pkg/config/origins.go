package config

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// origins accepts origins as browsers send them (RFC 6454, section 6.1). They are
// compared byte by byte later on, so what a browser never sends (a path, a default port,
// capitals) is refused or put into the browser's spelling here.
func origins(field func(*Config) *[]string) kind {
	return kind{
		accepts: "origins such as https://chat.example, separated by commas",
		set: func(c *Config, text string) error {
			list := []string{}
			items := split(text)
			if slices.Equal(items, []string{"*"}) {
				items = nil // the way other servers spell "any"
			}
			for _, item := range items {
				origin, err := parseOrigin(item)
				if err != nil {
					return fmt.Errorf("%s %w", quoted(item), err)
				}
				if !slices.Contains(list, origin) {
					list = append(list, origin)
				}
			}
			*field(c) = list
			return nil
		},
	}
}

// parseOrigin returns the browser's spelling of an origin. The error continues a
// sentence that starts with the text.
func parseOrigin(text string) (string, error) {
	if text == "*" {
		return "", errors.New("means any origin and stands alone")
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme == "" {
		return "", errors.New("is not scheme://host or scheme://host:port")
	}
	if u.Path != "" || u.RawQuery != "" || u.ForceQuery || strings.Contains(text, "#") || u.User != nil {
		return "", errors.New("has more than scheme, host and port; not even a slash may follow")
	}
	if strings.Contains(u.Host, "*") {
		return "", errors.New("has a wildcard; list each origin in full")
	}
	if !isHost(u.Hostname()) {
		return "", errors.New("has a host that browsers send in another form; write international names as xn--…")
	}
	host := strings.ToLower(u.Host)
	if addr, err := netip.ParseAddr(u.Hostname()); err == nil && addr.Is6() { // browsers send the shortest form
		host = strings.TrimSuffix("["+addr.WithZone("").String()+"]:"+u.Port(), ":")
	}
	switch u.Scheme {
	case "http":
		host = strings.TrimSuffix(host, ":80")
	case "https":
		host = strings.TrimSuffix(host, ":443")
	}
	return u.Scheme + "://" + strings.TrimSuffix(host, ":"), nil
}

package engineio

import (
	"maps"
	"net/http"
	"testing"
)

// corsHeaders are the headers that tell a browser what a page may do.
func corsHeaders(h http.Header) map[string]string {
	got := make(map[string]string)
	for _, k := range []string{"Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", "Access-Control-Allow-Methods", "Access-Control-Allow-Headers", "Vary"} {
		for i, v := range h.Values(k) {
			if i > 0 {
				v = got[k] + ", " + v
			}
			got[k] = v
		}
	}
	return got
}

func TestCORS(t *testing.T) {
	const (
		allowOrigin      = "Access-Control-Allow-Origin"
		allowCredentials = "Access-Control-Allow-Credentials"
	)
	anybody := serve(t, Options{})
	listed := serve(t, Options{Origins: []string{"https://good.example", "http://other.example:8080",
		"https://xn--bcher-kva.example", "http://[2001:db8::1]:3000", "capacitor://localhost"}})
	reflected := func(origin string) map[string]string {
		return map[string]string{allowOrigin: origin, allowCredentials: "true", "Vary": "Origin"}
	}
	vary := map[string]string{"Vary": "Origin"}
	for _, tt := range []struct {
		name, origin string
		srv          *testServer
		protocol     string
		status       int
		headers      map[string]string
	}{
		{"any origin, protocol 4", "https://page.example", anybody, "4", 200, map[string]string{allowOrigin: "*"}},
		{"any origin, protocol 3", "https://page.example", anybody, "3", 200, reflected("https://page.example")},
		{"no origin, protocol 3", "", anybody, "3", 200, map[string]string{allowOrigin: "*"}},
		{"listed", "https://good.example", listed, "4", 200, reflected("https://good.example")},
		{"listed, with port", "http://other.example:8080", listed, "3", 200, reflected("http://other.example:8080")},
		{"no origin", "", listed, "4", 200, vary},
		{"this very host", "https://chat.example", listed, "4", 200, vary}, // the test's requests are for chat.example
		{"not listed", "https://page.example", listed, "4", 403, vary},
		{"null", "null", listed, "4", 403, vary},
		{"longer", "https://good.example.evil.example", listed, "4", 403, vary},
		{"longer in front", "https://evil-good.example", listed, "4", 403, vary},
		{"as user name", "https://good.example@evil.example", listed, "4", 403, vary},
		{"this host as user name", "https://chat.example@evil.example", listed, "4", 403, vary},
		{"this host with another port", "https://chat.example:81", listed, "4", 403, vary},
		{"shorter", "https://good.exampl", listed, "4", 403, vary},
		{"other scheme", "http://good.example", listed, "4", 403, vary},
		{"other port", "https://good.example:8443", listed, "4", 403, vary},
		{"with a path", "https://good.example/", listed, "4", 403, vary},
		{"a listed one's wildcard", "https://*.example", listed, "4", 403, vary},
		{"nonsense", "::", listed, "4", 403, vary},
		{"capitals", "https://Good.example", listed, "4", 403, vary},
		{"a scheme in capitals", "HTTPS://good.example", listed, "4", 403, vary},
		{"a dot behind it", "https://good.example.", listed, "4", 403, vary},
		{"the default port", "https://good.example:443", listed, "4", 403, vary}, // browsers leave it out
		{"without its port", "http://other.example", listed, "4", 403, vary},
		{"a longer port", "http://other.example:80801", listed, "4", 403, vary},
		{"a subdomain", "https://a.good.example", listed, "4", 403, vary},
		{"a letter that looks like it", "https://xn--god-sna.example", listed, "4", 403, vary},
		{"a space in front", "https:// good.example", listed, "4", 403, vary},
		{"a null byte's place", "https://good.example%00.evil.example", listed, "4", 403, vary},
		{"a backslash", `https://good.example\.evil.example`, listed, "4", 403, vary},
		{"two in one", "https://good.example https://evil.example", listed, "4", 403, vary},
		{"two with a comma", "https://good.example,http://other.example:8080", listed, "4", 403, vary},
		{"with a query", "https://good.example?", listed, "4", 403, vary},
		{"international", "https://xn--bcher-kva.example", listed, "4", 200, reflected("https://xn--bcher-kva.example")},
		{"IPv6", "http://[2001:db8::1]:3000", listed, "4", 200, reflected("http://[2001:db8::1]:3000")},
		{"IPv6, another port", "http://[2001:db8::1]", listed, "4", 403, vary},
		{"IPv6, another spelling", "http://[2001:db8:0::1]:3000", listed, "4", 403, vary},
		{"an app", "capacitor://localhost", listed, "3", 200, reflected("capacitor://localhost")},
		{"this host as a user's", "https://kim@chat.example", listed, "4", 403, vary},
		{"this host with a path", "https://chat.example/x", listed, "4", 403, vary},
		{"this host with a dot", "https://chat.example.", listed, "4", 403, vary},
		{"this host of an app", "capacitor://chat.example", listed, "4", 403, vary},
		{"this host alone", "chat.example", listed, "4", 403, vary},
		{"null where anybody may", "null", anybody, "4", 200, map[string]string{allowOrigin: "*"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			headers := ""
			if tt.origin != "" {
				headers = "Origin: " + tt.origin + "\n"
			}
			check := func(what string, res response, status int, more map[string]string) {
				t.Helper()
				want := maps.Clone(tt.headers)
				maps.Copy(want, more)
				if more["Vary"] != "" && tt.headers["Vary"] != "" {
					want["Vary"] = tt.headers["Vary"] + ", " + more["Vary"]
				}
				if got := corsHeaders(res.header); res.status != status || !maps.Equal(got, want) {
					t.Errorf("%s: got %d %q, want %d %q", what, res.status, got, status, want)
				}
			}
			query := "EIO=" + tt.protocol + "&transport="
			allowed := tt.status == 200
			res := tt.srv.send(t, "GET", query+"polling", headers)
			check("polling", res, tt.status, nil)
			if !allowed && res.body != refused(4, "Forbidden") {
				t.Errorf("refused with %q", res.body)
			}

			status, more := http.StatusForbidden, map[string]string(nil)
			if allowed {
				status, more = http.StatusNoContent, map[string]string{"Access-Control-Allow-Methods": "GET,POST",
					"Access-Control-Allow-Headers": "x-one, content-type", "Vary": "Access-Control-Request-Headers"}
			}
			check("preflight", tt.srv.send(t, "OPTIONS", query+"polling",
				headers+"Access-Control-Request-Method: POST\nAccess-Control-Request-Headers: x-one, content-type\n"), status, more)

			if status = http.StatusBadRequest; allowed {
				status = http.StatusSwitchingProtocols
			}
			check("websocket", tt.srv.send(t, "GET", query+"websocket", headers+webSocketHeaders), status, nil)
		})
	}
}

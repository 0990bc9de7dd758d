package admission

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"
)

func prefixes(texts ...string) (list []netip.Prefix) {
	for _, text := range texts {
		list = append(list, netip.MustParsePrefix(text))
	}
	return list
}

// The client, or a proxy on its way, writes something into the header that our proxy adds to. The proxies are 10.0.0.0/8 and fd00::/8.
func TestSpoofedXForwardedFor(t *testing.T) {
	const proxy, stranger = "10.0.0.1:4000", "203.0.113.9:4000"
	for _, tt := range []struct {
		name, peer string
		lines      []string // of the header
		want       string
	}{
		{"no proxy", stranger, nil, "203.0.113.9"},
		{"a stranger's claim", stranger, []string{"198.51.100.1"}, "203.0.113.9"},
		{"a stranger claims to be the proxy", stranger, []string{"10.0.0.1"}, "203.0.113.9"},
		{"a stranger claims to be here", stranger, []string{"127.0.0.1, ::1"}, "203.0.113.9"},
		{"one proxy", proxy, []string{"198.51.100.1"}, "198.51.100.1"},
		{"what the client claimed stands to the left", proxy, []string{"192.0.2.66, 198.51.100.1"}, "198.51.100.1"},
		{"in a line of its own too", proxy, []string{"192.0.2.66", "198.51.100.1"}, "198.51.100.1"},
		{"two proxies", proxy, []string{"192.0.2.66, 198.51.100.1, 10.0.0.2"}, "198.51.100.1"},
		{"two proxies, a line each", proxy, []string{"192.0.2.66", "198.51.100.1", "10.0.0.2"}, "198.51.100.1"},
		{"the client is a proxy's neighbour", proxy, []string{"10.1.2.3, 10.0.0.2"}, "10.1.2.3"},
		{"nothing", proxy, nil, "10.0.0.1"},
		{"an empty line", proxy, []string{""}, "10.0.0.1"},
		{"nonsense in the last place", proxy, []string{"198.51.100.1, nonsense"}, "10.0.0.1"},
		{"nonsense behind a proxy", proxy, []string{"198.51.100.1, unknown, 10.0.0.2"}, "10.0.0.2"},
		{"an empty place", proxy, []string{"198.51.100.1, ,10.0.0.2"}, "10.0.0.2"},
		{"a comma at the end", proxy, []string{"198.51.100.1,"}, "10.0.0.1"},
		{"with a port", proxy, []string{"198.51.100.1:1234"}, "198.51.100.1"},
		{"IPv6", proxy, []string{"2001:db8::1"}, "2001:db8::1"},
		{"IPv6 in brackets", proxy, []string{"[2001:db8::1]"}, "2001:db8::1"},
		{"IPv6 with a port", proxy, []string{"[2001:db8::1]:1234"}, "2001:db8::1"},
		{"IPv6 with a zone", proxy, []string{"fe80::1%eth0"}, "fe80::1"},
		{"IPv4 in IPv6", proxy, []string{"::ffff:198.51.100.1"}, "198.51.100.1"},
		{"a proxy in IPv6 form", "[::ffff:10.0.0.1]:4000", []string{"198.51.100.1"}, "198.51.100.1"},
		{"a proxy of IPv6", "[fd00::1]:4000", []string{"198.51.100.1"}, "198.51.100.1"},
		{"leading zeros are not guessed at", proxy, []string{"198.51.100.001"}, "10.0.0.1"},
		{"numbers are no addresses", proxy, []string{"3405803777"}, "10.0.0.1"},
		{"very long", proxy, []string{strings.Repeat("1", 30_000)}, "10.0.0.1"},
		{"endless proxies", proxy, []string{"198.51.100.1" + strings.Repeat(",10.0.0.2", 3000)}, "10.0.0.2"},
		{"a socket without addresses", "@", []string{"198.51.100.1"}, "invalid IP"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := New(Options{Proxies: prefixes("10.0.0.0/8", "fd00::/8")})
			header := http.Header{"X-Forwarded-For": tt.lines, "Forwarded": {"for=192.0.2.99"}}
			if got := l.ClientAddr(tt.peer, header).String(); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			if got := New(Options{}).ClientAddr(tt.peer, header); got != parseHop(tt.peer) {
				t.Errorf("without proxies: got %s", got)
			}
		})
	}
}

func TestForwarded(t *testing.T) {
	for _, tt := range []struct {
		lines []string
		want  string
	}{
		{[]string{"for=198.51.100.1"}, "198.51.100.1"},
		{[]string{`For="[2001:db8:cafe::17]:4711"`}, "2001:db8:cafe::17"},
		{[]string{"proto=https; for=198.51.100.1 ;by=10.0.0.1"}, "198.51.100.1"},
		{[]string{"for=192.0.2.66, for=198.51.100.1, for=10.0.0.2;proto=http"}, "198.51.100.1"},
		{[]string{"for=192.0.2.66", "for=198.51.100.1"}, "198.51.100.1"},
		{[]string{`for="192.0.2.66, for=192.0.2.67", for=198.51.100.1`}, "198.51.100.1"},
		{[]string{`for="x,for=192.0.2.66"`}, "192.0.2.66"}, // written by the proxy itself, or by nobody
		{[]string{"for=unknown"}, "10.0.0.1"},
		{[]string{"for=_hidden"}, "10.0.0.1"},
		{[]string{"proto=https"}, "10.0.0.1"},
		{[]string{"198.51.100.1"}, "10.0.0.1"},
		{nil, "10.0.0.1"},
	} {
		l := New(Options{Proxies: prefixes("10.0.0.0/8"), ProxyHeader: "forwarded"})
		header := http.Header{"Forwarded": tt.lines, "X-Forwarded-For": {"192.0.2.99"}}
		if got := l.ClientAddr("10.0.0.1:4000", header).String(); got != tt.want {
			t.Errorf("%q: got %s, want %s", tt.lines, got, tt.want)
		}
	}
}

func TestAddressesThatCountTogether(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		same bool
	}{
		{"192.0.2.1", "192.0.2.1", true},
		{"192.0.2.1", "192.0.2.2", false},
		{"2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", true},
		{"2001:db8::1", "2001:db8:0:1::1", false},
		{"192.0.2.1", "2001:db8::c000:201", false},

		// Behind a NAT64 each IPv4 address is a client of its own, and the same as without it.
		{"64:ff9b::192.0.2.1", "64:ff9b::192.0.2.2", false},
		{"64:ff9b::192.0.2.1", "192.0.2.1", true},
		{"64:ff9b:1:fffe::192.0.2.1", "64:ff9b:1:fffe::192.0.2.2", false},
		{"64:ff9b:1:fffe::192.0.2.1", "64:ff9b:1:fffe::192.0.2.1", true},
		{"64:ff9b:1:c000:2:100::", "64:ff9b:1:c000:2:200::", false}, // the IPv4 address further left
		{"64:ff9b:2::1", "64:ff9b:2::2", true},                      // of no such network
		{"::ffff:192.0.2.1", "192.0.2.1", true},
		{"::ffff:0:192.0.2.1", "192.0.2.1", true},
		{"::192.0.2.1", "192.0.2.1", true},
		{"::1", "0.0.0.1", false},
		// One 6to4 client has 65,536 /64s.
		{"2002:c000:201::1", "2002:c000:201:ffff::1", true},
		{"2002:c000:201::1", "192.0.2.1", true},
		{"2002:c000:201::1", "2002:c000:202::1", false},
		// All Teredo clients of a server are in one /64.
		{"2001:0:4136:e378:8000:63bf:3fff:fdfe", "192.0.2.1", true},
		{"2001:0:4136:e378:8000:63bf:3fff:fdfe", "2001:0:4136:e378:8000:63bf:3fff:fdfd", false},
		{"2001:db8::1", "2001:db8::2", true},
	} {
		if got := keyOf(netip.MustParseAddr(tt.a)) == keyOf(netip.MustParseAddr(tt.b)); got != tt.same {
			t.Errorf("%s and %s: %t", tt.a, tt.b, got)
		}
	}
}

// Whatever a header says, the answer is the peer or an address that is in the header.
func FuzzClientAddr(f *testing.F) {
	f.Add("198.51.100.1, 10.0.0.2")
	f.Add(`for="[2001:db8::1]:80";proto=http,for=_x`)
	f.Add("[,]:,%")
	f.Fuzz(func(t *testing.T, line string) {
		for _, name := range []string{XForwardedFor, Forwarded} {
			l := New(Options{Proxies: prefixes("10.0.0.0/8"), ProxyHeader: name})
			header := http.Header{name: {line}}
			if got := l.ClientAddr("203.0.113.9:1", header); got.String() != "203.0.113.9" {
				t.Errorf("a stranger became %s", got)
			}
			if got := l.ClientAddr("10.0.0.1:1", header); !got.IsValid() {
				t.Error("no address")
			}
		}
	})
}

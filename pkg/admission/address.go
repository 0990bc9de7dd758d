package admission

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// The headers that a proxy may tell the client's address in.
const (
	XForwardedFor = "X-Forwarded-For" // "client, proxy1, proxy2"
	Forwarded     = "Forwarded"       // RFC 7239: "for=client, for=proxy1;proto=https"
)

// maxHops bounds how far a header is followed. No chain of proxies is that long.
const maxHops = 32

// ClientAddr returns the address that a request comes from, by the rules of the package
// documentation. remote is that of the TCP peer, "host:port"; the result is invalid when it is
// none, as with a Unix socket.
func (l *Limiter) ClientAddr(remote string, header http.Header) netip.Addr {
	addr := parseHop(remote)
	if !l.trusted(addr) {
		return addr
	}
	hops := 0
	for hop := range l.hops(header) {
		if hops++; hops > maxHops {
			break
		}
		next := parseHop(hop)
		if !next.IsValid() {
			break // "unknown", an obfuscated name, nonsense: the proxy that wrote it is all we know
		}
		if addr = next; !l.trusted(addr) {
			break
		}
	}
	return addr
}

func (l *Limiter) trusted(addr netip.Addr) bool {
	return addr.IsValid() && slices.ContainsFunc(l.opts.Proxies, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// hops goes through the addresses in the header, the one next to this server first.
func (l *Limiter) hops(header http.Header) func(yield func(string) bool) {
	forwarded := strings.EqualFold(l.opts.ProxyHeader, Forwarded)
	name := XForwardedFor
	if forwarded {
		name = Forwarded
	}
	return func(yield func(string) bool) {
		for _, line := range slices.Backward(header.Values(name)) {
			for line != "" {
				i := strings.LastIndexByte(line, ',')
				element := line[i+1:]
				line = line[:max(i, 0)]
				if forwarded {
					element = forParameter(element)
				}
				if !yield(element) {
					return
				}
			}
		}
	}
}

// forParameter returns the value of "for" in one element of a Forwarded header, "" without one. A
// comma within quotes splits an element in two that both come to nothing, which ends the search
// where it must end: the only quoted commas there are were made up.
func forParameter(element string) string {
	for pair := range strings.SplitSeq(element, ";") {
		if name, value, ok := strings.Cut(pair, "="); ok && strings.EqualFold(strings.TrimSpace(name), "for") {
			return strings.Trim(strings.TrimSpace(value), `"`)
		}
	}
	return ""
}

// parseHop reads an address with or without a port: 192.0.2.1, 192.0.2.1:80, 2001:db8::1,
// [2001:db8::1], [2001:db8::1]:80. It returns the zero Addr for anything else.
func parseHop(text string) netip.Addr {
	text = strings.TrimSpace(text)
	if len(text) > len("[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255%interface-name]:65535") {
		return netip.Addr{}
	}
	if strings.Contains(text, "]:") || strings.Count(text, ":") == 1 {
		port, err := netip.ParseAddrPort(text)
		if err != nil {
			return netip.Addr{}
		}
		return port.Addr().Unmap().WithZone("")
	}
	addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"))
	if err != nil {
		return netip.Addr{}
	}
	return addr.Unmap().WithZone("")
}

var shared = netip.MustParsePrefix("100.64.0.0/10") // RFC 6598, carrier-grade NAT and container networks

// private tells addresses that are not of the public internet.
func private(addr netip.Addr) bool {
	return !addr.IsValid() || addr.IsPrivate() || addr.IsLoopback() || addr.IsLinkLocalUnicast() || shared.Contains(addr)
}

package admission

import (
	"encoding/binary"
	"hash/fnv"
	"net/netip"
)

// A key stands for the sessions that are counted together: an IPv4 address, or the /64 that an
// IPv6 address is in. The /64s with the numbers of IPv4 addresses are reserved by the IETF.
type key uint64

func keyOf(addr netip.Addr) key {
	if v4, ok := embedded(addr); ok {
		return key4(v4)
	}
	b := addr.As16()
	if localTranslators.Contains(addr) {
		h := fnv.New64a() // where in the address the client's stands is known to its network only
		_, _ = h.Write(b[:])
		return key(h.Sum64())
	}
	return key(binary.BigEndian.Uint64(b[:8]))
}

// key4 is made of the lower half of the address in IPv6 form, ::ffff:192.0.2.1.
func key4(v4 [4]byte) key { return 0xffff<<32 | key(binary.BigEndian.Uint32(v4[:])) }

// Networks whose addresses stand for IPv4 addresses: there one /64 is everybody's, or one address has
// many /64s.
var (
	translators      = netip.MustParsePrefix("64:ff9b::/96")    // NAT64 (RFC 6052)
	localTranslators = netip.MustParsePrefix("64:ff9b:1::/48")  // the same within a network (RFC 8215)
	stateless        = netip.MustParsePrefix("::ffff:0:0:0/96") // SIIT (RFC 7915)
	compatible       = netip.MustParsePrefix("::/96")           // as some systems write it (RFC 4291, 2.5.5.1)
	sixToFour        = netip.MustParsePrefix("2002::/16")       // RFC 3056
	teredo           = netip.MustParsePrefix("2001::/32")       // RFC 4380
)

// embedded returns the IPv4 address that addr is or stands for.
func embedded(addr netip.Addr) (v4 [4]byte, ok bool) {
	b := addr.As16()
	last := [4]byte(b[12:])
	switch {
	case addr.Is4(), addr.Is4In6():
		return last, true
	case !addr.IsValid(), addr.IsLoopback(), addr.IsUnspecified():
		return v4, false
	case translators.Contains(addr), stateless.Contains(addr), compatible.Contains(addr):
		return last, true
	case sixToFour.Contains(addr):
		return [4]byte(b[2:6]), true
	case teredo.Contains(addr): // the client's, with all bits turned
		for i := range last {
			last[i] ^= 0xff
		}
		return last, true
	}
	return v4, false
}

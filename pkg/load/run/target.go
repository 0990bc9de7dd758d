//go:build linux

package run

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
)

// target is a server to connect to.
type target struct {
	addr netip.AddrPort
	host string // for the Host header
}

// targets resolves the servers, once, so that every connection goes where the check for loopback looked.
func (c *Config) targets(ctx context.Context) ([]target, error) {
	var all []target
	for _, server := range c.Servers {
		t, err := resolve(ctx, server)
		if err != nil {
			return nil, err
		}
		if !t.addr.Addr().IsLoopback() && !c.AllowRemote {
			return nil, fmt.Errorf("%s is not on this machine (%s): load on others' servers needs their consent and --allow-remote",
				server, t.addr.Addr())
		}
		all = append(all, t)
	}
	return all, nil
}

func resolve(ctx context.Context, server string) (target, error) {
	u, err := url.Parse(server)
	if err != nil {
		return target{}, fmt.Errorf("server %q: %w", server, err)
	}
	if u.Scheme != "http" && u.Scheme != "ws" || u.Hostname() == "" {
		return target{}, fmt.Errorf("server %q: want http://host:port (TLS is not supported)", server)
	}
	port := uint64(80)
	if u.Port() != "" {
		if port, err = strconv.ParseUint(u.Port(), 10, 16); err != nil {
			return target{}, fmt.Errorf("server %q: port: %w", server, err)
		}
	}
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", u.Hostname())
	if err != nil {
		return target{}, fmt.Errorf("server %q: %w", server, err)
	}
	if len(addrs) == 0 {
		return target{}, fmt.Errorf("server %q: %w", server, errors.New("the name has no address"))
	}
	return target{addr: netip.AddrPortFrom(pick(addrs), uint16(port)), host: u.Host}, nil
}

// pick prefers IPv4: servers that listen on one of localhost's two addresses mostly mean that.
func pick(addrs []netip.Addr) netip.Addr {
	for _, a := range addrs {
		if a.Unmap().Is4() {
			return a.Unmap()
		}
	}
	return addrs[0]
}

// portsEach is how many connections from one source address to one server are counted on: Linux gives 28,000 ports,
// and some may wait in TIME_WAIT.
const portsEach = 5_000

// sources are the own addresses to connect from. Without any given, many clients of loopback servers are spread over
// 127.0.0.1 and the following, since one address has too few ports for them.
func (c *Config) sources(targets []target) []netip.Addr {
	var all []netip.Addr
	for _, s := range c.Sources {
		if a, err := netip.ParseAddr(s); err == nil {
			all = append(all, a)
		}
	}
	each := c.Clients / len(targets)
	if len(all) > 0 || each <= portsEach {
		return all
	}
	for _, t := range targets {
		if !t.addr.Addr().Is4() || !t.addr.Addr().IsLoopback() {
			return nil
		}
	}
	for i := range (each + portsEach - 1) / portsEach * 2 {
		all = append(all, netip.AddrFrom4([4]byte{127, 0, 0, byte(1 + i)}))
	}
	return all
}

package config

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"socketio-chat/pkg/jsonscan"
)

// Limits is how much clients may do. Zero means no bound, where zero is accepted.
type Limits struct {
	Connections          int // in all
	AddressConnections   int // of one address
	Handshakes           int // a second, in all
	AddressHandshakes    int // a second, of one address
	Proxies              []netip.Prefix
	ProxyHeader          ProxyHeader
	Messages             int           // a second, of one client
	MessageBurst         int           // at once, of one client
	Bytes, ByteBurst     int           // a second, and at once, of one client's messages
	Deliveries           int           // a second, bytes to receivers for one client
	ControlFrames        int           // a second, of one client; ten times as many at once
	Attachments          int           // of one packet
	AttachmentTime       time.Duration // for the next of them
	Arguments            int           // of one event
	AuthBytes            int           // of one CONNECT
	Namespaces           int           // of one connection, at the same time
	Rooms                int           // of one client in one namespace, at the same time
	HeaderTime, BodyTime time.Duration
	IdleTime             time.Duration // of a connection between two requests
	Idle                 int           // connections without a request; 0: half of the descriptors
	Memory               int64         // bytes of the process; 0: GOMEMLIMIT's or the container's
}

// ProxyHeader is where proxies tell the client's address.
type ProxyHeader string

// The headers there are.
const (
	XForwardedFor ProxyHeader = "x-forwarded-for"
	Forwarded     ProxyHeader = "forwarded"
)

// limitsSection is a part of the table.
func limitsSection() section {
	most := func(field func(*Limits) *int) kind {
		return integer(func(c *Config) *int { return field(&c.Limits) }, 0, 1_000_000_000)
	}
	return section{"Limits (0: no limit)", []variable{
		{"MEMORY_BYTES", "0", "Memory of the process. Near it, new clients get 503 and those that hold most are disconnected. 0: GOMEMLIMIT, or the container's limit.",
			integer(func(c *Config) *int64 { return &c.Limits.Memory }, 0, 1<<50)},
		{"MAX_CONNECTIONS", "100000", "Connections in total.",
			most(func(l *Limits) *int { return &l.Connections })},
		{"MAX_CONNECTIONS_PER_ADDRESS", "1000", "Connections per client address. Private and loopback addresses are exempt unless you set this.",
			most(func(l *Limits) *int { return &l.AddressConnections })},
		{"HANDSHAKES_PER_SECOND", "5000", "New connections per second, in total; bursts may be four times as large.",
			most(func(l *Limits) *int { return &l.Handshakes })},
		{"HANDSHAKES_PER_SECOND_PER_ADDRESS", "100", "New connections per second and client address. Private and loopback addresses are exempt unless you set this.",
			most(func(l *Limits) *int { return &l.AddressHandshakes })},
		{"TRUSTED_PROXIES", "", "Proxies whose header with the client's address is trusted. Set this behind a proxy. Empty: none.",
			networks(func(c *Config) *[]netip.Prefix { return &c.Limits.Proxies })},
		{"PROXY_HEADER", "x-forwarded-for", "Header in which they pass the client's address. The other one is ignored.",
			oneOf(func(c *Config) *ProxyHeader { return &c.Limits.ProxyHeader }, XForwardedFor, Forwarded)},
		{"MESSAGES_PER_SECOND", "1000", "Messages per second that are read from one client. More are read later; none is lost.",
			most(func(l *Limits) *int { return &l.Messages })},
		{"MESSAGE_BURST", "5000", "Burst size: messages accepted at once before that limit applies. 0: one second's worth.",
			most(func(l *Limits) *int { return &l.MessageBurst })},
		{"BYTES_PER_SECOND", "500000", "Bytes per second that are read from one client. More are read later; none is lost.",
			most(func(l *Limits) *int { return &l.Bytes })},
		{"BYTE_BURST", "0", "Burst size: bytes accepted at once before that limit applies. Never less than one message (MAX_PAYLOAD_BYTES).",
			most(func(l *Limits) *int { return &l.ByteBurst })},
		{"DELIVERED_BYTES_PER_SECOND", "200000000", "Bytes per second that this instance sends to receivers for one sender. Further messages of the sender are read later.",
			most(func(l *Limits) *int { return &l.Deliveries })},
		{"CONTROL_FRAMES_PER_SECOND", "100", "Pings, pongs and other frames without a message per second and client; bursts may be ten times as large. A client that sends more is disconnected.",
			integer(func(c *Config) *int { return &c.Limits.ControlFrames }, 0, 1_000_000)},
		{"MAX_ATTACHMENTS", "10", "Binary attachments per message. A client that sends more is disconnected. Clients of socket.io 4.8 accept at most 10.",
			integer(func(c *Config) *int { return &c.Limits.Attachments }, 1, jsonscan.MaxAttachments)},
		{"ATTACHMENT_TIMEOUT_MS", "60000", "Time in which the next binary attachment of a message must arrive. By default the heartbeat ends first, as with Node's servers.",
			milliseconds(func(c *Config) *time.Duration { return &c.Limits.AttachmentTime }, 100*time.Millisecond, anHour)},
		{"MAX_ARGUMENTS", "1000", "Arguments per event. A client that sends more is disconnected.",
			integer(func(c *Config) *int { return &c.Limits.Arguments }, 1, 1_000_000)},
		{"MAX_AUTH_BYTES", "32768", "Size of the auth object with which a client joins a namespace. A larger one is refused.",
			integer(func(c *Config) *int { return &c.Limits.AuthBytes }, 2, mebi)},
		{"MAX_NAMESPACES", "20", "Namespaces per client at the same time.",
			most(func(l *Limits) *int { return &l.Namespaces })},
		{"MAX_ROOMS", "1000", "Rooms per client and namespace.",
			most(func(l *Limits) *int { return &l.Rooms })},
		{"HEADER_TIMEOUT_MS", "60000", "Time in which the headers of a request must arrive, from when its connection is there; Node's servers wait as long.",
			milliseconds(func(c *Config) *time.Duration { return &c.Limits.HeaderTime }, 100*time.Millisecond, anHour)},
		{"BODY_TIMEOUT_MS", "30000", "Time in which the body of a request must arrive; that of engine.io 6.",
			milliseconds(func(c *Config) *time.Duration { return &c.Limits.BodyTime }, 100*time.Millisecond, anHour)},
		{"IDLE_TIMEOUT_SECONDS", "75", "How long a connection may stay between two requests; more than the balancer's own, 600 with Google's.",
			seconds(func(c *Config) *time.Duration { return &c.Limits.IdleTime }, time.Second, aDay)},
		{"MAX_IDLE_CONNECTIONS", "0", "Connections without a request or a session; the oldest is closed for one more. 0: half of the descriptors.",
			most(func(l *Limits) *int { return &l.Idle })},
	}}
}

// networks accepts addresses and networks in CIDR form.
func networks(field func(*Config) *[]netip.Prefix) kind {
	return kind{
		accepts: "addresses and networks such as 10.0.0.0/8, separated by commas",
		set: func(c *Config, text string) error {
			var list []netip.Prefix
			for _, item := range split(text) {
				prefix, err := parseNetwork(item)
				if err != nil {
					return fmt.Errorf("%s %w", quoted(item), err)
				}
				list = append(list, prefix)
			}
			*field(c) = list
			return nil
		},
	}
}

// parseNetwork continues a sentence that starts with the text when it fails.
func parseNetwork(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil {
		addr = addr.Unmap().WithZone("")
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(text)
	switch {
	case err != nil:
		return netip.Prefix{}, errors.New("is neither an address nor a network")
	case prefix.Addr().Is4In6():
		return netip.Prefix{}, errors.New("is an IPv4 network in IPv6 form; write it as IPv4")
	case prefix.Bits() == 0:
		return netip.Prefix{}, errors.New("is everybody: any client could claim any address")
	case prefix != prefix.Masked():
		return netip.Prefix{}, fmt.Errorf("has bits behind its length; %s is the network", prefix.Masked())
	}
	return prefix, nil
}

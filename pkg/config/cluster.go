package config

import (
	"errors"
	"fmt"
	"net"
	"strings"
)

// Cluster is how instances with the same Redis reach each other. It means nothing without
// a Redis.
type Cluster struct {
	Off       bool   // no request is handed over
	Addr      string // host:port where requests of other instances come in; empty: found by itself
	Advertise string // host or host:port where they reach it; empty: found by itself
	Secret    Secret // empty: one that Redis keeps
}

// minClusterSecret is what cannot be guessed by trying, if it is random.
const minClusterSecret = 16

// clusterListener accepts what listenAddress does, and nothing.
func clusterListener() kind {
	inner := listenAddress(func(c *Config) *string { return &c.Cluster.Addr })
	set := inner.set
	inner.set = func(c *Config, text string) error {
		if text == "" {
			return nil
		}
		c.Cluster.Off = strings.EqualFold(text, "off")
		return set(c, text)
	}
	return inner
}

// advertised accepts a host, with or without a port.
func advertised(field func(*Config) *string) kind {
	return kind{
		accepts: "a host name or an IP address, with or without :port",
		set: func(c *Config, text string) error {
			host, port, err := net.SplitHostPort(text)
			if err != nil {
				host = strings.Trim(text, "[]")
			} else if n, err := decimal(port); err != nil || n < 1 || n > 65535 {
				return fmt.Errorf("%s is not a port from 1 to 65535", quoted(port))
			}
			if text != "" && (host == "" || !isHost(host)) {
				return errPlain
			}
			if err != nil {
				text = host
			}
			*field(c) = text
			return nil
		},
	}
}

// clusterSecret accepts a text that is long enough.
func clusterSecret(field func(*Config) *Secret) kind {
	return kind{
		accepts: fmt.Sprintf("a text of at least %d characters", minClusterSecret),
		secret:  true,
		set: func(c *Config, text string) error {
			if text != "" && len(text) < minClusterSecret {
				return errors.New("this is too short")
			}
			*field(c) = Secret(text)
			return nil
		},
	}
}

// betweenInstances are the rows of Cluster.
func betweenInstances() section {
	return section{"Between instances", []variable{
		{"CLUSTER_ADDR", "", "Address on which other instances forward requests for sessions that live here. Empty: chosen automatically (port 9465, or a free one).",
			clusterListener()},
		{"ADVERTISE_ADDR", "", "Address under which the other instances reach CLUSTER_ADDR. Empty: the local address of this host's connection to Redis.",
			advertised(func(c *Config) *string { return &c.Cluster.Advertise })},
		{"CLUSTER_SECRET", "", "Shared secret by which instances authenticate each other; the same on all. Empty: generated once and kept in Redis.",
			clusterSecret(func(c *Config) *Secret { return &c.Cluster.Secret })},
	}}
}

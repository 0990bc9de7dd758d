//go:build linux

package run

import (
	"context"
	"strings"
	"testing"
	"time"

	"socketio-chat/pkg/load/client"
)

func TestValidate(t *testing.T) {
	for _, tt := range []struct {
		problem string // "" means none
		change  func(*Config)
	}{
		{"", func(*Config) {}},
		{"", func(c *Config) { c.Senders, c.InFlight, c.Size = 0, 0, 0 }},
		{"", func(c *Config) { c.Path, c.Namespace = "/x/", "/" }},
		{"servers", func(c *Config) { c.Servers = nil }},
		{"servers", func(c *Config) { c.Servers = make([]string, MaxServers+1) }},
		{"clients", func(c *Config) { c.Clients = 0 }},
		{"clients", func(c *Config) { c.Clients = MaxClients + 1 }},
		{"senders", func(c *Config) { c.Senders = -1 }},
		{"senders", func(c *Config) { c.Senders = c.Clients + 1 }},
		{"clients × senders", func(c *Config) { c.Clients, c.Senders = 50_000, 50_000 }},
		{"rate", func(c *Config) { c.Rate, c.InFlight = -1, 0 }},
		{"rate", func(c *Config) { c.Rate, c.InFlight = MaxRate+1, 0 }},
		{"in flight", func(c *Config) { c.InFlight = MaxInFlight + 1 }},
		{"either", func(c *Config) { c.InFlight = 0 }},
		{"either", func(c *Config) { c.Rate = 1 }},
		{"size", func(c *Config) { c.Size = 24 }},
		{"size", func(c *Config) { c.Size = MaxSize + 1 }},
		{"protocol", func(c *Config) { c.Protocol = 5 }},
		{"transport", func(c *Config) { c.Transport = client.Transport("carrier pigeon") }},
		{"path", func(c *Config) { c.Path = "socket.io" }},
		{"path", func(c *Config) { c.Path = "/x?y" }},
		{"namespace", func(c *Config) { c.Namespace = "chat" }},
		{"namespace", func(c *Config) { c.Namespace = "/a,b" }},
		{"connecting", func(c *Config) { c.Connecting = 0 }},
		{"threads", func(c *Config) { c.Threads = MaxThreads + 1 }},
		{"duration", func(c *Config) { c.Duration = -1 }},
		{"ramp", func(c *Config) { c.Ramp = MaxPhase + 1 }},
		{"whole run", func(c *Config) { c.Ramp, c.Duration = 40*time.Minute, 40*time.Minute }},
		{"source", func(c *Config) { c.Sources = []string{"localhost"} }},
		{"pid", func(c *Config) { c.PIDs = []int{0} }},
	} {
		cfg := short("http://127.0.0.1:1")
		tt.change(&cfg)
		err := cfg.Validate()
		switch {
		case tt.problem == "" && err != nil:
			t.Errorf("%+v: %v", cfg, err)
		case tt.problem != "" && (err == nil || !strings.Contains(err.Error(), tt.problem)):
			t.Errorf("%s: got %v", tt.problem, err)
		}
	}
}

func TestValidateNamesAllProblems(t *testing.T) {
	err := (&Config{}).Validate()
	for _, want := range []string{"servers", "clients", "protocol", "transport", "connecting"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s is not named in: %v", want, err)
		}
	}
}

func TestOnlyLoopbackUnlessAllowed(t *testing.T) {
	for server, local := range map[string]bool{
		"http://127.0.0.1:3000": true,
		"http://127.9.9.9":      true,
		"http://[::1]:3000":     true,
		"ws://localhost:3000":   true,
		"http://192.0.2.1:3000": false, // documentation's own network, RFC 5737
		"http://0.0.0.0:3000":   false,
	} {
		cfg := short(server)
		_, err := cfg.targets(context.Background())
		if (err == nil) != local {
			t.Errorf("%s: %v", server, err)
		}
		cfg.AllowRemote = true
		if _, err := cfg.targets(context.Background()); err != nil {
			t.Errorf("%s, allowed: %v", server, err)
		}
	}
}

func TestServersThatAreNone(t *testing.T) {
	for _, server := range []string{"", "127.0.0.1:3000", "https://127.0.0.1", "http://", "http://127.0.0.1:99999", "http://%zz"} {
		cfg := short(server)
		if got, err := cfg.targets(context.Background()); err == nil {
			t.Errorf("%q gave %v", server, got)
		}
	}
}

func TestManyClientsUseSeveralAddresses(t *testing.T) {
	cfg := short("http://127.0.0.1:3000")
	targets, err := cfg.targets(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if got := cfg.sources(targets); len(got) != 0 {
		t.Errorf("few clients connect from %v", got)
	}
	cfg.Clients = 4*portsEach + 1
	got := cfg.sources(targets)
	if len(got) < 5 {
		t.Errorf("%d clients connect from %v", cfg.Clients, got)
	}
	for _, a := range got {
		if !a.IsLoopback() {
			t.Errorf("source %v", a)
		}
	}
	cfg.Sources = []string{"127.0.0.9"}
	if got := cfg.sources(targets); len(got) != 1 || got[0].String() != "127.0.0.9" {
		t.Errorf("instead of the given one: %v", got)
	}
}

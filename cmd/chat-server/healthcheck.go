package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"socketio-chat/pkg/config"
)

// healthcheckTimeout is shorter than what container runtimes wait.
const healthcheckTimeout = 3 * time.Second

// healthcheck asks the server with these settings for /healthz. It is for images that
// have no shell and no curl to do so.
func healthcheck(ctx context.Context, cfg config.Config) error {
	if cfg.HTTP.Port == 0 {
		return errors.New("healthcheck: NODE_PORT is 0, nobody knows which port the server took")
	}
	ctx, cancel := context.WithTimeout(ctx, healthcheckTimeout)
	defer cancel()
	url := "http://" + reachable(cfg.HTTP) + "/healthz"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("healthcheck: %w", err)
	}
	// Not http.DefaultClient: HTTP_PROXY is not for this.
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("healthcheck: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("healthcheck: %s answers %s", url, answer.Status)
	}
	return nil
}

// reachable is an address to connect to a server that listens as h says: one that
// listens everywhere is asked over the loopback interface.
func reachable(h config.HTTP) string {
	host := h.Host
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, strconv.Itoa(h.Port))
}

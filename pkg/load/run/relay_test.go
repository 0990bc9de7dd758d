//go:build linux

package run

import (
	"context"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

// relay is a chat server for tests that can be told to make mistakes.
type relay struct {
	t   testing.TB
	url string
	// deliver says what the receiver with the given number (in the order of joining, from 0) gets as the k-th message
	// that is relayed to it. nil: the message, once.
	deliver func(receiver, k int, message string) []string
	notice  bool
	deaf    bool // relays nothing at all

	mu    sync.Mutex
	conns []*relayConn // guarded by mu; ended ones are nil
	watch int          // how many watch presence, guarded by mu
	all   sync.WaitGroup
}

type relayConn struct {
	net.Conn
	relayed int
}

func startRelay(t testing.TB, change func(*relay)) *relay {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{t: t, url: "http://" + ln.Addr().String()}
	if change != nil {
		change(r)
	}
	r.all.Go(func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			r.all.Go(func() { defer nc.Close(); _ = r.serve(nc) })
		}
	})
	t.Cleanup(func() {
		ln.Close()
		r.closeAll()
		r.all.Wait()
	})
	return r
}

// serve speaks the protocol's good case.
func (r *relay) serve(nc net.Conn) error {
	if _, err := ws.Upgrade(nc); err != nil {
		return err
	}
	c := &relayConn{Conn: nc}
	if err := wsutil.WriteServerText(nc, []byte(`0{"sid":"s","upgrades":[],"pingInterval":25000,"pingTimeout":20000}`)); err != nil {
		return err
	}
	for {
		b, err := wsutil.ReadClientText(nc)
		if err != nil {
			return err
		}
		if string(b) == "40/chat," {
			r.join(c)
		} else if string(b) == `42/chat,0["presence:watch",{}]` {
			r.watched(c)
		} else if event, ok := strings.CutPrefix(string(b), `42/chat,["msgToServer",`); ok && !r.deaf {
			r.relay(`42/chat,["msgToClient",` + event)
		}
	}
}

func (r *relay) join(c *relayConn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.conns = append(r.conns, c)
	c.text(`40/chat,{"sid":"n"}`)
	if r.notice {
		for _, c := range r.conns {
			c.text(`42/chat,["msgToClient",{"name":"admin","text":"join chat."}]`)
		}
	}
}

// watched answers, and tells of a change.
func (r *relay) watched(c *relayConn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.watch++
	c.text(`43/chat,0[{"people":[],"count":0,"connections":1}]`)
	c.text(`42/chat,["presence:change",{"joined":[],"left":[],"count":0,"connections":2}]`)
}

func (r *relay) relay(message string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, c := range r.conns {
		messages := []string{message}
		if r.deliver != nil {
			messages = r.deliver(i, c.relayed, message)
		}
		c.relayed++
		for _, m := range messages {
			c.text(m)
		}
	}
}

func (c *relayConn) text(s string) { _ = wsutil.WriteServerText(c, []byte(s)) } // gone ones are no matter

// closeAll cuts everybody off, as a server's end does.
func (r *relay) closeAll() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.conns {
		c.Close()
	}
}

// short is a run that takes a fraction of a second.
func short(servers ...string) Config {
	return Config{
		Servers: servers, Clients: 6, Senders: 3, InFlight: 2, Size: 32, Transport: "websocket", Protocol: 4,
		Connecting: 3, Warmup: 20 * time.Millisecond, Duration: 100 * time.Millisecond, Drain: 300 * time.Millisecond,
	}
}

func testContext(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

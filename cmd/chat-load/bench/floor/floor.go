// Package floor is the bench's lower bound: what any Go server must pay to deliver a chat message.
//
// It accepts WebSockets, speaks just enough Engine.IO 4 and Socket.IO 5 for the load client, and relays each message to
// everybody, with one write system call for each delivery and no batching, queues, rooms or checks. Given a pool of
// io_urings it relays with one system call for up to uring.Batch deliveries instead. It keeps the chat's contract only
// for clients that behave; it exists to be compared with.
//
// Concurrency: a goroutine for each connection reads and relays; writes of several goroutines to one connection are kept
// apart by package net, batches by the mutex sending. A peer that does not read holds up everybody. Serve returns when
// ctx ends, after all of them.
package floor

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gobwas/ws"

	"socketio-chat/pkg/uring"
)

const (
	hello     = `0{"sid":"floor-%d","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}`
	joinAsk   = "40/chat,"
	joined    = `40/chat,{"sid":"floor-%d"}`
	eventOut  = `42/chat,["msgToServer",`
	eventIn   = `42/chat,["msgToClient",`
	notice    = eventIn + `{"name":"admin","text":"join chat."}]`
	pingEvery = 25 * time.Second
	// maxMessage is the most bytes of a message that is relayed.
	maxMessage = 1 << 20
)

// Server relays chat messages. Make it with New.
type Server struct {
	notice bool
	pool   *uring.Pool // nil: one write a delivery

	mu    sync.Mutex
	conns atomic.Pointer[[]net.Conn] // never changed in place; replaced under mu
	ids   atomic.Int64
	all   sync.WaitGroup

	sending sync.Mutex   // with a pool: no connection that has joined is closed, or written to by others, meanwhile
	batch   []uring.Send // guarded by sending
}

// New makes a server; notice says whether it announces who joins. pool may be nil, and remains the caller's to close.
func New(notice bool, pool *uring.Pool) *Server {
	s := &Server{notice: notice, pool: pool}
	s.conns.Store(new([]net.Conn))
	return s
}

// Serve accepts connections until ctx ends, and closes ln.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	stop := context.AfterFunc(ctx, func() { ln.Close() })
	defer stop()
	ctx, cancel := context.WithCancel(ctx)
	defer s.all.Wait()
	defer cancel()
	s.all.Go(func() { s.ping(ctx) })
	for {
		nc, err := ln.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("accept: %w", err)
		}
		s.all.Go(func() {
			stop := context.AfterFunc(ctx, func() { s.close(nc) })
			defer stop()
			defer s.close(nc)
			_ = s.serve(nc) // how a connection ends does not matter here
		})
	}
}

// serve is one connection's life.
func (s *Server) serve(nc net.Conn) error {
	if _, err := ws.Upgrade(nc); err != nil {
		return err
	}
	id := s.ids.Add(1)
	if err := writeText(nc, fmt.Appendf(nil, hello, id)); err != nil {
		return err
	}
	defer s.remove(nc)
	r := bufio.NewReaderSize(nc, 512)
	var payload []byte
	for {
		h, err := ws.ReadHeader(r)
		if err != nil {
			return err
		}
		if h.Length > maxMessage {
			return errors.New("message too long")
		}
		if int64(cap(payload)) < h.Length {
			payload = make([]byte, h.Length)
		}
		payload = payload[:h.Length]
		if _, err := io.ReadFull(r, payload); err != nil {
			return err
		}
		if h.Masked {
			ws.Cipher(payload, h.Mask, 0)
		}
		if h.OpCode == ws.OpClose {
			return nil
		}
		if err := s.message(nc, id, payload); err != nil {
			return err
		}
	}
}

func (s *Server) message(nc net.Conn, id int64, payload []byte) error {
	switch {
	case bytes.HasPrefix(payload, []byte(eventOut)):
		s.relay([]byte(eventIn), payload[len(eventOut):])
	case string(payload) == joinAsk:
		if err := writeText(nc, fmt.Appendf(nil, joined, id)); err != nil {
			return err
		}
		s.add(nc)
		if s.notice {
			s.relay([]byte(notice), nil)
		}
	}
	return nil
}

// relay makes the frame once and writes it to everybody in turn.
func (s *Server) relay(head, tail []byte) {
	frame := compile(ws.OpText, head, tail)
	if s.pool != nil {
		s.relayBatch(frame)
		return
	}
	for _, nc := range *s.conns.Load() {
		_, _ = nc.Write(frame) // a broken connection is its own reader's business
	}
}

func (s *Server) add(nc net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := *s.conns.Load()
	conns := slices.Concat(old, []net.Conn{nc})
	s.conns.Store(&conns)
}

func (s *Server) remove(nc net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var conns []net.Conn
	for _, c := range *s.conns.Load() {
		if c != nc {
			conns = append(conns, c)
		}
	}
	s.conns.Store(&conns)
}

// ping keeps clients from thinking that the server is gone.
func (s *Server) ping(ctx context.Context) {
	t := time.NewTicker(pingEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			s.relay([]byte("2"), nil)
		}
	}
}

func writeText(nc net.Conn, text []byte) error {
	_, err := nc.Write(compile(ws.OpText, text, nil))
	return err
}

func compile(op ws.OpCode, head, tail []byte) []byte {
	return ws.MustCompileFrame(ws.NewFrame(op, true, bytes.Join([][]byte{head, tail}, nil)))
}

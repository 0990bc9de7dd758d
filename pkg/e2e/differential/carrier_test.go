package differential

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

// patience is how long an answer may take. It bounds failures only, and what servers leave unanswered.
const patience = 30 * time.Second

// A carrier is a client's connection. What comes is put into heard, which is closed after the end was told there.
type carrier interface {
	send(packets []packet) error
	heard() <-chan string
	close()
}

// ending begins what a carrier says of its end.
const ending = "END "

// dial opens a session of a protocol on a server.
func dial(ctx context.Context, server string, protocol int, polling bool) (carrier, error) {
	if polling {
		return dialPolling(ctx, server, protocol)
	}
	return dialWebSocket(ctx, server, protocol)
}

type webSocket struct {
	nc       net.Conn
	protocol int
	in       chan string
}

func dialWebSocket(ctx context.Context, server string, protocol int) (carrier, error) {
	nc, early, _, err := ws.Dial(ctx, fmt.Sprintf("ws://%s/socket.io/?EIO=%d&transport=websocket", server, protocol))
	if err != nil {
		return nil, fmt.Errorf("open a WebSocket: %w", err)
	}
	var r io.Reader = nc
	if early != nil {
		r = io.MultiReader(early, nc)
	}
	w := &webSocket{nc: nc, protocol: protocol, in: make(chan string, 1000)}
	go w.read(r)
	return w, nil
}

func (w *webSocket) read(r io.Reader) {
	defer close(w.in)
	for {
		f, err := ws.ReadFrame(r)
		switch {
		case err != nil:
			w.in <- ending + "without a close frame"
			return
		case f.Header.OpCode == ws.OpClose:
			code, _ := ws.ParseCloseFrameData(f.Payload)
			w.in <- fmt.Sprintf("%sclose %d", ending, code)
			return
		case f.Header.OpCode == ws.OpBinary:
			w.in <- fmt.Sprintf("binary %q", f.Payload)
		case f.Header.OpCode == ws.OpText:
			w.in <- string(f.Payload)
		}
	}
}

func (w *webSocket) send(packets []packet) error {
	_ = w.nc.SetWriteDeadline(time.Now().Add(patience))
	for _, p := range packets {
		op, data := ws.OpText, []byte(p.text)
		if p.binary != nil {
			op, data = ws.OpBinary, p.binary
			if w.protocol == 3 {
				data = append([]byte{4}, p.binary...)
			}
		}
		if err := wsutil.WriteClientMessage(w.nc, op, data); err != nil {
			return err
		}
	}
	return nil
}

func (w *webSocket) heard() <-chan string { return w.in }

func (w *webSocket) close() {
	w.nc.Close()
	for range w.in { // the reader ends with the connection
	}
}

type polling struct {
	client   http.Client
	url      string
	protocol int
	in       chan string
	stop     context.CancelFunc
	ctx      context.Context
}

func dialPolling(ctx context.Context, server string, protocol int) (carrier, error) {
	p := &polling{
		url:      fmt.Sprintf("http://%s/socket.io/?EIO=%d&transport=polling&b64=1", server, protocol),
		protocol: protocol, in: make(chan string, 1000),
	}
	p.client.Transport = &http.Transport{}
	p.ctx, p.stop = context.WithCancel(ctx)
	packets, err := p.get(func() {})
	if err != nil {
		p.stop()
		return nil, err
	}
	_, rest, _ := strings.Cut(packets[0], `"sid":"`)
	sid, _, ok := strings.Cut(rest, `"`)
	if !ok {
		p.stop()
		return nil, fmt.Errorf("no session in %q", packets)
	}
	p.url += "&sid=" + sid
	go p.poll(packets)
	return p, nil
}

// errStatus is an answer that ends a session.
var errStatus = errors.New("refused")

// do calls wrote when the request has been written.
func (p *polling) do(method, body string, wrote func()) (string, error) {
	ctx, cancel := context.WithTimeout(p.ctx, 3*patience)
	defer cancel()
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { wrote() }})
	req, err := http.NewRequestWithContext(ctx, method, p.url, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "text/plain;charset=UTF-8")
	}
	res, err := p.client.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return "", err
	}
	if res.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%w: %d %s", errStatus, res.StatusCode, b)
	}
	return string(b), nil
}

func (p *polling) get(wrote func()) ([]string, error) {
	body, err := p.do(http.MethodGet, "", wrote)
	if err != nil {
		return nil, err
	}
	return split(p.protocol, body)
}

// poll tells what an answer brought when the next poll has been written: what the client then sends comes behind that, and
// cannot end the session before.
func (p *polling) poll(packets []string) {
	defer close(p.in)
	for {
		tell := sync.OnceFunc(func() {
			for _, packet := range packets {
				p.in <- packet
			}
		})
		if i := slices.Index(packets, "1"); i >= 0 { // nothing counts behind it
			packets = packets[:i+1]
			tell()
			p.in <- ending + "close packet"
			return
		}
		next, err := p.get(tell)
		tell() // it may not have come to be written
		if err != nil {
			what := "the connection broke"
			if errors.Is(err, errStatus) {
				what = err.Error()
			}
			p.in <- ending + what
			return
		}
		packets = next
	}
}

func (p *polling) send(packets []packet) error {
	_, err := p.do(http.MethodPost, payload(p.protocol, packets), func() {})
	return err
}

func (p *polling) heard() <-chan string { return p.in }

func (p *polling) close() {
	p.stop()
	for range p.in { // the poller ends with its context
	}
	p.client.CloseIdleConnections()
}

// split takes the packets of an answer apart.
func split(protocol int, body string) ([]string, error) {
	var parts []string
	if protocol == 4 {
		parts = strings.Split(body, "\x1e")
	} else {
		for body != "" {
			length, rest, ok := strings.Cut(body, ":")
			n, err := strconv.Atoi(length)
			if !ok || err != nil {
				return nil, fmt.Errorf("no payload: %.80q", body)
			}
			end := 0
			for i, r := range rest {
				if n <= 0 {
					break
				}
				n -= units(string(r))
				end = i + len(string(r))
			}
			parts, body = append(parts, rest[:end]), rest[end:]
		}
	}
	for i, part := range parts {
		if data, ok := strings.CutPrefix(part, "b"); ok {
			if protocol == 3 {
				data = strings.TrimPrefix(data, "4")
			}
			b, err := base64.StdEncoding.DecodeString(data)
			if err != nil {
				return nil, err
			}
			parts[i] = fmt.Sprintf("binary %q", b)
			if protocol == 3 {
				parts[i] = fmt.Sprintf("binary %q", append([]byte{4}, bytes.Clone(b)...))
			}
		}
	}
	return parts, nil
}

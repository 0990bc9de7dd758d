package engineio

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gorilla/websocket"
)

// The cases of the Autobahn test suite for WebSocket servers (crossbario/autobahn-testsuite,
// sections 1 to 7, and 9 in small), written out. Messages begin with "4", the type of
// an Engine.IO message; the server echoes each.

const (
	finText, finBinary  = 0x81, 0x82
	moreText            = 0x01 // the first fragment of several
	more, fin           = 0x00, 0x80
	ping, pong, closing = 0x89, 0x8a, 0x88
)

// An autobahnCase is what a client sends, and what it gets.
type autobahnCase struct {
	cases string // of the suite
	name  string
	in    []byte
	echo  []string // messages, text or binary
	pongs []string
	code  int // of the server's close frame, 1005 without one; 0: the connection goes on

	ended bool // the client has sent a close frame that is right
}

func TestAutobahn(t *testing.T) {
	srv := serve(t, Options{ControlFrames: 100_000}) // short fragments count
	for _, section := range [][]autobahnCase{framingCases(), pingCases(), reservedCases(), fragmentCases(), utf8Cases(), closeCases(), sizeCases()} {
		for _, tt := range section {
			for _, chop := range []int{len(tt.in), 1 + len(tt.in)/600} { // as a rule one byte at a time
				t.Run(fmt.Sprintf("%s %s by %d", tt.cases, tt.name, chop), func(t *testing.T) { tt.run(t, srv, chop) })
			}
		}
	}
}

func (tt autobahnCase) run(t *testing.T, srv *testServer, chop int) {
	alice := dialWebSocket(t, srv, 4)
	srv.accept(t).echo()
	var pongs []string
	alice.ws.SetPongHandler(func(data string) error { pongs = append(pongs, data); return nil })
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		for part := range slices.Chunk(tt.in, max(1, chop)) {
			if alice.tryWrite(part) != nil {
				return // it has been closed
			}
		}
		if tt.code == 0 {
			_ = alice.tryWrite(text("4end"))
		}
	}()
	var echo []string
	_, data, err := alice.tryRead()
	for ; err == nil && string(data) != "4end"; _, data, err = alice.tryRead() {
		echo = append(echo, string(data))
	}
	switch ce := (*websocket.CloseError)(nil); {
	case tt.code == 0 && (err != nil || !slices.Equal(echo, tt.echo)):
		t.Fatalf("got %d messages, %v", len(echo), err)
	case tt.code == 0:
	case !errors.As(err, &ce) || ce.Code != tt.code:
		t.Fatalf("got %v, want a close frame with %d", err, tt.code)
	// What is queued when the client ends, or breaks a rule, may be dropped.
	case !slices.Equal(echo, tt.echo[:min(len(echo), len(tt.echo))]):
		t.Errorf("got %d messages, want %d", len(echo), len(tt.echo))
	case tt.ended:
		if <-sent; endOf(alice) == nil {
			t.Error("the connection goes on")
		}
	default:
		<-sent
		alice.answerClose()
		alice.wantEOF(t)
	}
	if !slices.Equal(pongs, tt.pongs) {
		t.Errorf("pongs %q, want %q", pongs, tt.pongs)
	}
}

// endOf waits for the end of the connection: a reset, if the client has written behind its
// close frame.
func endOf(c *wsClient) error {
	nc := c.ws.NetConn()
	_ = nc.SetReadDeadline(time.Now().Add(patience))
	_, err := nc.Read(make([]byte, 1))
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil
	}
	return err
}

// 1.*: whole messages of all forms of length.
func framingCases() (list []autobahnCase) {
	for i, n := range []int{0, 125, 126, 127, 128, 65_535, 65_536} {
		s := "4" + strings.Repeat("*", n)
		list = append(list, autobahnCase{cases: fmt.Sprint("1.1.", i+1), name: "text", in: text(s), echo: []string{s}},
			autobahnCase{cases: fmt.Sprint("1.2.", i+1), name: "binary", in: masked(finBinary, []byte(s)), echo: []string{s}})
	}
	return list
}

// 2.*: pings and pongs.
func pingCases() []autobahnCase {
	ten, answers := []byte(nil), []string(nil)
	for i := range 10 {
		answers = append(answers, fmt.Sprint("payload-", i))
		ten = append(ten, masked(ping, []byte(answers[i]))...)
	}
	long := strings.Repeat("\xfe", 125)
	return []autobahnCase{
		{cases: "2.1", name: "ping without payload", in: masked(ping, nil), pongs: []string{""}},
		{cases: "2.2", name: "ping with text", in: masked(ping, []byte("Hello, world!")), pongs: []string{"Hello, world!"}},
		{cases: "2.3", name: "ping with bytes", in: masked(ping, []byte("\x00\xff\xfe\xfd")), pongs: []string{"\x00\xff\xfe\xfd"}},
		{cases: "2.4, 2.6", name: "ping of 125 bytes", in: masked(ping, []byte(long)), pongs: []string{long}},
		{cases: "2.5", name: "ping of 126 bytes", in: masked(ping, make([]byte, 126)), code: 1002},
		{cases: "2.7", name: "pong unasked", in: masked(pong, nil)},
		{cases: "2.8", name: "pong with payload unasked", in: masked(pong, []byte("unasked"))},
		{cases: "2.9", name: "pong unasked, then ping", in: join(masked(pong, []byte("unasked")), masked(ping, []byte("ping"))), pongs: []string{"ping"}},
		{cases: "2.10, 2.11", name: "ten pings", in: ten, pongs: answers},
	}
}

// 3.* and 4.*: reserved bits and opcodes, alone and behind a message.
func reservedCases() (list []autobahnCase) {
	for rsv := byte(1); rsv <= 7; rsv++ {
		for name, op := range map[string]byte{"text": finText, "binary": finBinary, "ping": ping, "close": closing} {
			list = append(list, autobahnCase{cases: fmt.Sprint("3.", rsv), name: "reserved bits on " + name,
				in: join(text("4a"), masked(op|rsv<<4, []byte("4b"))), echo: []string{"4a"}, code: 1002})
		}
	}
	for i := range byte(5) {
		list = append(list,
			autobahnCase{cases: fmt.Sprint("4.1.", i+1), name: "reserved opcode", in: join(text("4a"), masked(0x83+i, nil), masked(ping, nil)), echo: []string{"4a"}, code: 1002},
			autobahnCase{cases: fmt.Sprint("4.2.", i+1), name: "reserved control opcode", in: join(text("4a"), masked(0x8b+i, []byte("x"))), echo: []string{"4a"}, code: 1002})
	}
	return list
}

// 5.*: fragments.
func fragmentCases() []autobahnCase {
	return []autobahnCase{
		{cases: "5.1", name: "ping in fragments", in: join(masked(0x09, []byte("a")), masked(fin, []byte("b"))), code: 1002},
		{cases: "5.2", name: "pong in fragments", in: join(masked(0x0a, []byte("a")), masked(fin, []byte("b"))), code: 1002},
		{cases: "5.3 to 5.5", name: "text in two", in: join(masked(moreText, []byte("4a")), masked(fin, []byte("b"))), echo: []string{"4ab"}},
		{cases: "5.6 to 5.8", name: "a ping between", in: join(masked(moreText, []byte("4a")), masked(ping, []byte("p")), masked(fin, []byte("b"))), echo: []string{"4ab"}, pongs: []string{"p"}},
		{cases: "5.9 to 5.11", name: "final continuation of nothing", in: join(masked(fin, []byte("4a")), text("4b")), code: 1002},
		{cases: "5.12 to 5.14", name: "continuation of nothing", in: join(masked(more, []byte("4a")), text("4b")), code: 1002},
		{cases: "5.15", name: "continuation behind the final one", in: join(masked(moreText, []byte("4a")), masked(fin, []byte("b")), masked(more, []byte("c")), text("4d")), echo: []string{"4ab"}, code: 1002},
		{cases: "5.16", name: "continuation of nothing, twice", in: join(masked(more, []byte("4a")), masked(moreText, []byte("4b")), masked(fin, []byte("c"))), code: 1002},
		{cases: "5.17", name: "final continuation of nothing, twice", in: join(masked(fin, []byte("4a")), masked(moreText, []byte("4b")), masked(fin, []byte("c"))), code: 1002},
		{cases: "5.18", name: "a message within another", in: join(masked(moreText, []byte("4a")), text("4b")), code: 1002},
		{cases: "5.19, 5.20", name: "five fragments and two pings", in: join(masked(moreText, []byte("41")), masked(more, []byte("2")), masked(ping, []byte("p")), masked(more, []byte("3")), masked(more, []byte("4")),
			masked(ping, []byte("q")), masked(fin, []byte("5"))), echo: []string{"412345"}, pongs: []string{"p", "q"}},
	}
}

// 6.*: UTF-8, whole and in fragments of one byte. Text that can not become valid any more
// ends the connection before the message ends (6.4.*).
func utf8Cases() []autobahnCase {
	list := []autobahnCase{
		{cases: "6.1.1", name: "a message of nothing but its type", in: text("4"), echo: []string{"4"}},
		{cases: "6.1.2", name: "empty fragments", in: join(masked(moreText, []byte("4")), masked(more, nil), masked(fin, nil)), echo: []string{"4"}},
		{cases: "6.1.3", name: "empty fragments around text", in: join(masked(moreText, nil), masked(more, []byte("4a")), masked(fin, nil)), echo: []string{"4a"}},
		{cases: "6.4.1", name: "invalid in the first fragment, no other follows", in: masked(moreText, []byte("4κόσμε\xf4\x90\x80\x80")), code: 1007},
		{cases: "6.4.2", name: "invalid in the second byte, in a fragment of its own", in: join(masked(moreText, []byte("4κ\xf4")), masked(more, []byte("\x90"))), code: 1007},
		{cases: "6.4.3", name: "a character cut by the final fragment", in: join(masked(moreText, []byte("4κ\xf4")), masked(fin, nil)), code: 1007},
	}
	valid := map[string]string{
		"6.2.*": "Hello-µ@ßöäüàá-UTF-8!!", "6.5.*": "κόσμε", "6.6.*": "\xf4\x8f\xbf\xbf", "6.7.1": "\x00", "6.7.2": "\u0080", "6.7.3": "\u0800", "6.7.4": "\U00010000",
		"6.9.1": "\u007f", "6.9.2": "\u07ff", "6.9.3": "\uffff", "6.9.4": "\U0010ffff", "6.11.1": "\ud7ff", "6.11.2": "\ue000", "6.11.3": "\ufffd",
		"6.22.*": "\ufffe\uffff\U0001fffe", "6.23.*": "\ufff9\ufffa\ufffb",
	}
	invalid := map[string]string{
		"6.3.*": "κόσμε\xed\xa0\x80edited", "6.8.1": "\xf8\x88\x80\x80\x80", "6.8.2": "\xfc\x84\x80\x80\x80\x80", "6.10.1": "\xf7\xbf\xbf\xbf", "6.11.5": "\xf4\x90\x80\x80",
		"6.12.1": "\x80", "6.12.2": "\xbf", "6.12.8": "\x80\xbf\x80\xbf\x80\xbf\xbe", "6.13.1": "\xc0 \xc1 \xdf ", "6.13.2": "\xe0 \xef ", "6.13.3": "\xf0 \xf7 ",
		"6.14.1": "\xc0", "6.14.2": "\xe0\x80", "6.14.3": "\xf0\x80\x80", "6.14.6": "\xdf", "6.14.7": "\xef\xbf", "6.15.1": "\xc0\xe0\x80\xf0\x80\x80",
		"6.16.1": "\xfe", "6.16.2": "\xff", "6.16.3": "\xfe\xfe\xff\xff", "6.17.1": "\xc0\xaf", "6.17.2": "\xe0\x80\xaf", "6.17.3": "\xf0\x80\x80\xaf",
		"6.18.1": "\xc1\xbf", "6.18.2": "\xe0\x9f\xbf", "6.18.3": "\xf0\x8f\xbf\xbf", "6.19.1": "\xc0\x80", "6.20.1": "\xed\xa0\x80", "6.20.7": "\xed\xbf\xbf", "6.21.1": "\xed\xa0\x80\xed\xb0\x80", "6.21.8": "\xed\xaf\xbf\xed\xbf\xbf",
	}
	for cases, s := range valid {
		list = append(list, autobahnCase{cases: cases, name: "whole", in: text("4" + s), echo: []string{"4" + s}},
			autobahnCase{cases: cases, name: "in fragments of one byte", in: byteByByte("4"+s, true), echo: []string{"4" + s}})
	}
	for cases, s := range invalid {
		list = append(list, autobahnCase{cases: cases, name: "whole", in: text("4" + s), code: 1007},
			autobahnCase{cases: cases, name: "in fragments of one byte", in: byteByByte("4"+s, true), code: 1007})
	}
	return list
}

// byteByByte sends each byte of a text in a fragment of its own.
func byteByByte(s string, final bool) (frames []byte) {
	for i := range len(s) {
		first := byte(more)
		if i == 0 {
			first = moreText
		}
		if final && i == len(s)-1 {
			first |= fin
		}
		frames = append(frames, masked(first, []byte{s[i]})...)
	}
	return frames
}

// 7.*: the end.
func closeCases() []autobahnCase {
	with := func(code uint16, reason string) []byte {
		return masked(closing, append([]byte{byte(code >> 8), byte(code)}, reason...))
	}
	large := "4" + strings.Repeat("BAsd7&jh23", 26_000)
	list := []autobahnCase{
		{cases: "7.1.1", name: "a message, then the end", in: join(text("4a"), with(1000, "")), echo: []string{"4a"}, code: 1000},
		{cases: "7.1.2", name: "two ends", in: join(with(1000, ""), with(1000, "")), code: 1000},
		{cases: "7.1.3", name: "a ping behind the end", in: join(with(1000, ""), masked(ping, nil)), code: 1000},
		{cases: "7.1.4", name: "a message behind the end", in: join(with(1000, ""), text("4a")), code: 1000},
		{cases: "7.1.5", name: "the end within a message", in: join(masked(moreText, []byte("4a")), with(1000, ""), masked(fin, []byte("b"))), code: 1000},
		{cases: "7.1.6", name: "a large message before the end", in: join(text(large), text("4a"), with(1000, ""), masked(ping, nil)), echo: []string{large, "4a"}, code: 1000},
		{cases: "7.3.1", name: "without a code", in: masked(closing, nil), code: 1005},
		{cases: "7.3.2", name: "half a code", in: masked(closing, []byte{3}), code: 1002},
		{cases: "7.3.3", name: "a code", in: with(1000, ""), code: 1000},
		{cases: "7.3.4", name: "a code and a reason", in: with(1000, "Hello World!"), code: 1000},
		{cases: "7.3.5", name: "the longest reason", in: with(1000, strings.Repeat("*", 123)), code: 1000},
		{cases: "7.3.6", name: "a reason that is too long", in: with(1000, strings.Repeat("*", 124)), code: 1002},
		{cases: "7.5.1", name: "a reason that is not UTF-8", in: with(1000, "\xce\xba\xe1\xbd\xb9\xed\xa0\x80"), code: 1007},
	}
	for i := range list {
		list[i].ended = list[i].code < 1002 || list[i].code == 1005
	}
	for _, code := range []uint16{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999} {
		list = append(list, autobahnCase{cases: "7.7.*", name: fmt.Sprint("code ", code), in: with(code, ""), code: int(code), ended: true})
	}
	for _, code := range []uint16{0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535} {
		list = append(list, autobahnCase{cases: "7.9.*, 7.13.*", name: fmt.Sprint("code ", code), in: with(code, ""), code: int(ws.StatusProtocolError)})
	}
	return list
}

// 9.*, in small: messages and fragments of many sizes.
func sizeCases() (list []autobahnCase) {
	for _, n := range []int{64 << 10, 256 << 10, 900_000} {
		s := "4" + strings.Repeat("0123456789", n/10)
		list = append(list, autobahnCase{cases: "9.1, 9.5", name: fmt.Sprint("text of ", n), in: text(s), echo: []string{s}},
			autobahnCase{cases: "9.2, 9.6", name: fmt.Sprint("binary of ", n), in: masked(finBinary, []byte(s)), echo: []string{s}})
	}
	s := "4" + strings.Repeat("안녕하세요", 4000)
	for _, size := range []int{64, 256, 1 << 10, 4 << 10, 16 << 10} {
		var frames []byte
		first := byte(moreText)
		for part := range slices.Chunk([]byte(s), size) {
			frames = append(frames, masked(first, part)...)
			first = more
		}
		list = append(list, autobahnCase{cases: "9.3, 9.4", name: fmt.Sprint("fragments of ", size), in: join(frames, masked(fin, nil)), echo: []string{s}})
	}
	return list
}

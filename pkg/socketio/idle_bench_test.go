//go:build linux

package socketio

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"
	"syscall"
	"testing"

	"socketio-chat/pkg/engineio"
)

// BenchmarkIdle tells what a client costs that has joined a namespace by WebSocket and says nothing:
//
//	go test ./pkg/socketio -run - -bench Idle -benchtime 2000x
//
// heap-B/conn is what lives after a collection, alloc-B/conn with what connecting left behind. With
// IDLE_PROFILE=FILE and -memprofilerate 64 it writes a heap profile, of the last kind of client. The clients
// are bare descriptors, which need nothing of the heap.
func BenchmarkIdle(b *testing.B) {
	for _, tt := range []struct{ name, fields string }{
		{"program", ""},
		{"browser", strings.Join([]string{
			"Pragma: no-cache", "Cache-Control: no-cache",
			"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
			"Origin: http://localhost:3000", "Accept-Encoding: gzip, deflate, br, zstd", "Accept-Language: en-GB,en;q=0.9,ko;q=0.8",
			"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits", "",
		}, "\r\n")},
	} {
		b.Run(tt.name, func(b *testing.B) { benchmarkIdle(b, tt.fields) })
	}
}

func benchmarkIdle(b *testing.B, fields string) {
	s := NewServer(Options{})
	s.Of("/chat")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	web := &http.Server{Handler: s, ReadHeaderTimeout: DefaultConnectTimeout}
	serving := make(chan error, 1)
	go func() {
		serving <- web.Serve(s.Engine().Front(l, engineio.FrontOptions{Path: "/socket.io/", Handler: s}))
	}()
	port := l.Addr().(*net.TCPAddr).Port
	closeIdle(joinIdle(b, port, fields)) // what the first client makes stays
	before := settledMemory()
	var clients []int
	for b.Loop() {
		clients = append(clients, joinIdle(b, port, fields))
	}
	after := settledMemory()
	for what, bytes := range map[string]uint64{
		"heap-B/conn": after.HeapAlloc - before.HeapAlloc, "objects/conn": after.HeapObjects - before.HeapObjects,
		"alloc-B/conn": after.TotalAlloc - before.TotalAlloc, "stack-B/conn": max(after.StackInuse, before.StackInuse) - before.StackInuse,
	} {
		b.ReportMetric(float64(bytes)/float64(len(clients)), what)
	}
	if name := os.Getenv("IDLE_PROFILE"); name != "" {
		writeProfile(b, name)
	}
	for _, fd := range clients {
		closeIdle(fd)
	}
	if err := s.Close(b.Context()); err != nil {
		b.Error(err)
	}
	_ = web.Close() // the listener is closed already
	<-serving
}

// settledMemory reads the statistics when what is only cached has gone.
func settledMemory() (m runtime.MemStats) {
	for range 3 { // pools keep what they have for one collection more
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return m
}

func writeProfile(b *testing.B, name string) {
	f, err := os.Create(name)
	if err == nil {
		err = pprof.Lookup("heap").WriteTo(f, 0)
	}
	if err != nil {
		b.Error(err)
	}
	_ = f.Close()
}

// joinIdle connects to /chat and waits for the answer.
func joinIdle(b *testing.B, port int, fields string) (fd int) {
	b.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err == nil {
		err = syscall.Connect(fd, &syscall.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}})
	}
	if err != nil {
		b.Fatal(err)
	}
	var room [2048]byte
	say := func(what []byte, want string) {
		b.Helper()
		if _, err := syscall.Write(fd, what); err != nil {
			b.Fatal(err)
		}
		got := room[:0]
		for !bytes.Contains(got, []byte(want)) {
			n, err := syscall.Read(fd, room[len(got):])
			if err != nil || n == 0 {
				b.Fatalf("read %d bytes, %v, behind %q", n, err, got)
			}
			got = room[:len(got)+n]
		}
	}
	say(fmt.Appendf(nil, "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost:%d\r\nConnection: Upgrade\r\n"+
		"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n", port, fields), "maxPayload")
	say([]byte("\x81\x87\x00\x00\x00\x0040/chat"), "40/chat")
	return fd
}

// closeIdle ends the connection and waits for the server's end of it.
func closeIdle(fd int) {
	_ = syscall.Shutdown(fd, syscall.SHUT_WR)
	var room [256]byte
	for {
		if n, err := syscall.Read(fd, room[:]); err != nil || n <= 0 {
			break
		}
	}
	_ = syscall.Close(fd)
}

package engineio

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
)

// BenchmarkBroadcast is one small message to every client over loopback
// sockets. Clients read what comes and count the bytes.
func BenchmarkBroadcast(b *testing.B) {
	for _, clients := range []int{10, 500} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			srv := serve(b, Options{})
			var read atomic.Int64
			conns := make([]*Conn, clients)
			for i := range conns {
				alice := dialWebSocket(b, srv, 4)
				conns[i] = srv.accept(b).Conn
				go func() {
					buf := make([]byte, 16<<10)
					for {
						n, err := alice.ws.NetConn().Read(buf)
						if err != nil {
							return
						}
						read.Add(int64(n))
					}
				}()
			}
			message := []byte(`2/chat,["msgToClient",{"name":"alice","text":"hello, everybody"}]`)
			size := int64(len(NewTextFrame(message).wire))
			batch := srv.NewBatch()
			b.ReportAllocs()
			b.ResetTimer()
			sent := int64(0)
			for i := range b.N {
				f := NewTextFrame(message)
				for _, c := range conns {
					batch.Send(c, f)
				}
				batch.Flush()
				sent += size * int64(clients)
				for i%256 == 255 && read.Load() < sent { // or queues would run over
					runtime.Gosched()
				}
			}
			for read.Load() < sent {
				runtime.Gosched()
			}
			b.StopTimer()
			b.ReportMetric(float64(b.N*clients)/b.Elapsed().Seconds(), "deliveries/s")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*clients), "ns/delivery")
		})
	}
}

func BenchmarkFrame(b *testing.B) {
	for _, size := range []int{64, 4096} {
		data := pattern(0, size)
		b.Run(fmt.Sprintf("text/bytes=%d", size), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(size))
			for b.Loop() {
				NewTextFrame(data)
			}
		})
		b.Run(fmt.Sprintf("binary/bytes=%d", size), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(size))
			for b.Loop() {
				NewBinaryFrame(data).webSocket(4)
			}
		})
	}
}

// BenchmarkReader is the reading of one message, without the system call.
func BenchmarkReader(b *testing.B) {
	for _, size := range []int{64, 4096, 100_000} {
		b.Run(fmt.Sprintf("bytes=%d", size), func(b *testing.B) {
			frame := masked(0x81, asText(pattern(0, size)))
			chunk := frame
			for len(chunk) < readBuffer {
				chunk = append(chunk, frame...)
			}
			r := newWSReader(transportOf(&feedConn{next: func() []byte { return chunk }}), 1_000_000, nil)
			b.ReportAllocs()
			b.SetBytes(int64(size))
			for b.Loop() {
				if _, _, err := r.next(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

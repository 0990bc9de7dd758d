package recovery

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"
)

// While one client waits for a Redis that does not answer, others wait for its answer as long as they may, and no longer.
func TestLogIsWaitedForWithinTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dialing, over := make(chan struct{}, 1), make(chan struct{})
		client := redis.NewClient(&redis.Options{
			MaxRetries: -1, DialerRetries: 1, ContextTimeoutEnabled: true,
			Dialer: func(context.Context, string, string) (net.Conn, error) {
				select {
				case dialing <- struct{}{}:
				default: // again
				}
				<-over
				return nil, net.ErrClosed
			},
		})
		s := newSessionStore(client, "socket.io", "/chat")
		patient, cancel := context.WithCancel(t.Context())
		first := make(chan error, 1)
		go func() {
			_, err := s.readLog(patient, "log")
			first <- err
		}()
		<-dialing
		hurried, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		began := time.Now()
		if _, err := s.readLog(hurried, "log"); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		cancel()
		if err := <-first; err == nil {
			t.Error("there is no Redis, and the log was read")
		}
		close(over)
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	})
}

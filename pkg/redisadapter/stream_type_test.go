package redisadapter

import (
	"errors"
	"strings"
	"testing"

	"socketio-chat/pkg/redisadapter/internal/hub"
)

// A key of ours that something else has written keeps an instance from the others, and from nobody else: the error says what to do, and what
// was said meanwhile arrives once it is done.
func TestStreamsKeyOfAnotherType(t *testing.T) {
	for _, tc := range []struct {
		name    string
		running bool // before it happens
		write   []any
	}{
		{"a text at the start", false, []any{"SET", "socket.io", "of another program"}},
		{"a hash at the start", false, []any{"HSET", "socket.io", "of", "another program"}},
		{"a text in place of the stream", true, []any{"SET", "socket.io", "of another program"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := startRedis(t)
			if !tc.running {
				r.do(tc.write...)
			}
			alpha, beta := newInstance(t, r, "alpha", in(Streams)), newInstance(t, r, "beta", in(Streams))
			if tc.running {
				alpha.joined()
				beta.joined()
				r.do(tc.write...)
			}
			ann, bob := alpha.connect("ann"), beta.connect("bob")
			alpha.chat.Broadcast("msg", raw("1"))
			ann.want(`["msg",1]`)
			for _, i := range []*instance{alpha, beta} {
				var wrong *hub.KeyTypeError
				eventually(t, "the error shows", func() bool { return errors.As(i.builder.Status().LastError, &wrong) })
				for _, word := range []string{`"socket.io"`, "rename or delete"} {
					if !strings.Contains(wrong.Error(), word) {
						t.Errorf("%v: says nothing of %s", wrong, word)
					}
				}
			}
			r.do("DEL", "socket.io")
			bob.want(`["msg",1]`)
			beta.chat.Broadcast("msg", raw("2"))
			ann.want(`["msg",2]`)
		})
	}
}

package redisadapter_test

import (
	"testing"
	"testing/synctest"
	"time"

	"socketio-chat/pkg/redisadapter"
)

// Redis comes back without the latest that it had: what somebody has not read, it finds in no counter of the stream. Those that had read or
// written it tell.
func TestForgottenEntriesAreCounted(t *testing.T) {
	for _, tc := range []struct {
		name   string
		before func(b *bubble) // after beta's line was cut
		forget time.Duration
		gaps   bool // beta's
	}{
		{"written by one that has ended since, read by a third", func(b *bubble) {
			b.nodes[0].chat.Broadcast("msg", 1)
			time.Sleep(time.Second)
			b.end(b.nodes[0], false)
		}, 2 * time.Second, true},
		{"written by one that has ended since, before the third began", func(b *bubble) {
			b.nodes[0].chat.Broadcast("msg", 1)
			time.Sleep(100 * time.Millisecond)
			b.end(b.nodes[0], false)
			b.begin()
			time.Sleep(time.Second)
		}, 2 * time.Second, true},
		{"written by one that says nothing any more", func(b *bubble) {
			b.nodes[0].chat.Broadcast("msg", 1)
			time.Sleep(time.Second)
		}, 2 * time.Second, true},
		{"nothing was written meanwhile", func(*bubble) { time.Sleep(time.Second) }, 500 * time.Millisecond, false},
		{"nothing is forgotten", func(b *bubble) {
			b.nodes[0].chat.Broadcast("msg", 1)
			time.Sleep(time.Second)
		}, 0, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBubble(t, redisadapter.Streams, 3)
				b.faulty = true
				defer b.close()
				beta := b.nodes[1]
				for _, n := range b.nodes { // everybody has read of everybody
					n.chat.Broadcast("msg", 0)
				}
				time.Sleep(5 * time.Second)
				beta.back.Cut()
				tc.before(b)
				b.redis.Kill()
				time.Sleep(100 * time.Millisecond)
				b.redis.Start(tc.forget)
				time.Sleep(10 * time.Second) // others have written again: the stream is as long as before
				for range 5 {
					b.nodes[len(b.nodes)-1].chat.Broadcast("msg", 2)
				}
				beta.back.Mend()
				b.together()
				time.Sleep(time.Minute)
				if s := beta.builder.Status(); s.Gaps > 0 != tc.gaps || s.Gaps > 2 { // one may know how many are missing, and one only that some are
					t.Errorf("%d gaps", s.Gaps)
				}
				b.begin() // what was before is nothing to it
				b.together()
				if s := b.nodes[len(b.nodes)-1].builder.Status(); s.Gaps > 0 {
					t.Errorf("one that began afterwards counts %d gaps", s.Gaps)
				}
			})
		})
	}
}

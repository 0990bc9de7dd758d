package history

import (
	"context"
	"testing"
)

// Of instances that are given the same message of a client, one appends it.
func TestClaims(t *testing.T) {
	r := startRedis(t)
	alpha, beta := r.store(small), r.store(small)
	ctx := context.Background()
	claim := func(s *Redis, key string, want Claimed) {
		t.Helper()
		if got, err := s.Claim(ctx, key); err != nil || got != want {
			t.Fatalf("got %+v, %v, want %+v", got, err, want)
		}
	}
	claim(alpha, "m1", Claimed{})
	claim(beta, "m1", Claimed{Wait: true})
	told := make(chan Receipt, 1)
	alpha.Append(Message{Payload: text("1"), Once: "m1"}, func(r Receipt) { told <- r })
	got, err := beta.Await("m1")
	if kept := <-told; err != nil || !got.Sent || got.ID != kept.ID {
		t.Errorf("it is at %v, found at %+v, %v", kept.ID, got, err)
	}
	beta.Append(Message{Payload: text("1"), Once: "m1"}, func(r Receipt) { told <- r }) // it did not ask
	if again := <-told; again.ID != got.ID {
		t.Errorf("it is at %v, then at %v", got.ID, again.ID)
	}

	claim(alpha, "m2", Claimed{}) // one that is not to be kept
	alpha.Settle("m2")
	if got, err := beta.Await("m2"); err != nil || (got != Claimed{Sent: true}) {
		t.Errorf("got %+v, %v", got, err)
	}
	claim(alpha, "m2", Claimed{Sent: true})
	if got := texts(page(t, beta, Query{Limit: 9})); len(got) != 1 {
		t.Errorf("got %v", got)
	}
}

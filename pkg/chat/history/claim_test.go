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
	if where, wait, err := alpha.Claim(ctx, "m1"); err != nil || wait || !where.IsZero() {
		t.Fatalf("got %v, %v, %v", where, wait, err)
	}
	if _, wait, err := beta.Claim(ctx, "m1"); err != nil || !wait {
		t.Fatalf("claimed twice: %v, %v", wait, err)
	}
	told := make(chan Receipt, 1)
	alpha.Append(Message{Payload: text("1"), Once: "m1"}, func(r Receipt) { told <- r })
	where, err := beta.Await("m1")
	if kept := <-told; err != nil || where != kept.ID {
		t.Errorf("it is at %v, found at %v, %v", kept.ID, where, err)
	}
	beta.Append(Message{Payload: text("1"), Once: "m1"}, func(r Receipt) { told <- r }) // it did not ask
	if again := <-told; again.ID != where {
		t.Errorf("it is at %v, then at %v", where, again.ID)
	}
}

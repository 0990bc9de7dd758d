package history

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"
)

// Each message of servers that keep nothing is kept once, whichever instance is the recorder, and however many there were.
func TestRecordersFollowEachOther(t *testing.T) {
	r := startRedis(t)
	limits := Limits{Count: 1000, Bytes: 1 << 20, Age: time.Hour}
	var mu sync.Mutex // guards stores
	var stores []*Redis
	var want []string
	hear := func(m string) {
		mu.Lock()
		defer mu.Unlock()
		want = append(want, m)
		for _, s := range stores {
			s.Hear(text(m))
		}
	}
	leader := func() (at int) {
		at = -1
		eventually(t, "one is the recorder", func() bool {
			for i, s := range stores {
				if s.rec.leads() {
					at = i
					return true
				}
			}
			return false
		})
		return at
	}
	for n := range 3 {
		mu.Lock()
		for len(stores) < 3 {
			stores = append(stores, r.store(limits))
		}
		mu.Unlock()
		at := leader()
		for i := range 50 {
			hear(fmt.Sprintf("[%d,%d]", n, i))
		}
		gone := stores[at]
		stores = slices.Delete(stores, at, at+1)
		if n == 1 { // the last one ends in order, the others do not
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			if err := gone.Close(ctx); err != nil {
				t.Error(err)
			}
			cancel()
		} else {
			gone.crash()
		}
		for i := range 20 { // nobody is the recorder
			hear(fmt.Sprintf("[%d,-%d]", n, i))
		}
	}
	leader()
	var got []string
	defer func() {
		if t.Failed() {
			t.Logf("got  %v\nwant %v", got, want)
		}
	}()
	eventually(t, "all is kept", func() bool {
		got = nil
		for _, e := range r.client().XRange(context.Background(), stream(""), "-", "+").Val() {
			got = append(got, e.Values["p"].(string))
		}
		return slices.Equal(got, want)
	})
}

// A recorder that stood still while another took over appends nothing any more.
func TestRecorderWithoutLeaseAppendsNothing(t *testing.T) {
	r := startRedis(t)
	s := r.store(small)
	eventually(t, "it is the recorder", s.rec.leads)
	r.client().Set(context.Background(), prefix+"recorder", "another", time.Minute)
	s.Hear(text("1"))
	eventually(t, "it is not any more", func() bool { return !s.rec.leads() })
	say(t, s, "", "2")
	if got := texts(page(t, s, Query{Limit: 9})); !slices.Equal(got, []string{"2"}) {
		t.Errorf("got %v", got)
	}
}

// However much of a sequence two instances have heard, the second goes on where the first ended.
func TestFollow(t *testing.T) {
	for from := range 6 {
		for to := from; to <= 10; to++ {
			for keptFrom := 0; keptFrom <= to; keptFrom++ {
				var tail []heard
				for n := from; n < 10; n++ {
					tail = append(tail, heard{message: Message{Payload: text(fmt.Sprint(n))}})
				}
				var kept []Message
				for n := keptFrom; n < to; n++ {
					kept = append(kept, Message{Payload: text(fmt.Sprint(n))})
				}
				want := to
				if kept == nil {
					want = from // nothing is known of what was kept
				}
				if got := from + follow(tail, kept); got != want {
					t.Fatalf("heard %d to 10, kept %d to %d: goes on at %d", from, keptFrom, to, got)
				}
			}
		}
	}
}

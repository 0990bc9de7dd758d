package history

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"socketio-chat/pkg/socketio"
)

func text(s string) socketio.Payload { return socketio.Payload{JSON: []byte(s)} }

// texts are what a page says.
func texts(p Page) (list []string) {
	for _, m := range p.Messages {
		list = append(list, string(m.Payload.JSON))
	}
	return list
}

func page(t *testing.T, s Store, q Query) Page {
	t.Helper()
	p, err := s.Page(context.Background(), q)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// keep appends messages and returns their ids.
func keep(t *testing.T, s Store, room string, list ...string) (ids []ID) {
	t.Helper()
	for _, m := range list {
		s.Append(Message{Room: room, Payload: text(m)}, func(r Receipt) {
			if !r.Kept {
				t.Errorf("%s was not kept", m)
			}
			ids = append(ids, r.ID)
		})
	}
	return ids
}

func TestPages(t *testing.T) {
	s := NewMemory(Limits{Count: 5, Bytes: 1 << 20, Age: time.Hour})
	ids := keep(t, s, "", "1", "2", "3", "4", "5", "6", "7") // 1 and 2 are gone
	for _, c := range []struct {
		name      string
		q         Query
		want      string
		more, gap bool
	}{
		{"the newest", Query{Limit: 3}, "5 6 7", true, false},
		{"all", Query{Limit: 9}, "3 4 5 6 7", false, false},
		{"just all", Query{Limit: 5}, "3 4 5 6 7", false, false},
		{"before", Query{Limit: 2, Before: ids[5]}, "4 5", true, false},
		{"before, to the beginning", Query{Limit: 3, Before: ids[5]}, "3 4 5", false, false},
		{"before the first", Query{Limit: 3, Before: ids[2]}, "", false, false},
		{"before what is gone", Query{Limit: 3, Before: ids[0]}, "", false, false},
		{"after", Query{Limit: 2, After: ids[2]}, "4 5", true, false},
		{"after, to the end", Query{Limit: 2, After: ids[4]}, "6 7", false, false},
		{"after the last", Query{Limit: 2, After: ids[6]}, "", false, false},
		{"after what is gone", Query{Limit: 9, After: ids[0]}, "3 4 5 6 7", false, true},
		{"after what never was", Query{Limit: 9, After: ID{1 << 50, 0}}, "", false, true},
		{"another room", Query{Room: "x", Limit: 9}, "", false, false},
		{"another room, after", Query{Room: "x", Limit: 9, After: ids[0]}, "", false, true},
	} {
		p := page(t, s, c.q)
		if got := strings.Join(texts(p), " "); got != c.want || p.More != c.more || p.Gap != c.gap || p.Partial {
			t.Errorf("%s: got %s, %+v", c.name, got, p)
		}
	}
}

func TestWhatIsTooOldGoes(t *testing.T) {
	now := time.UnixMilli(1_764_367_200_000)
	s := NewMemory(Limits{Count: 5, Bytes: 1 << 20, Age: time.Hour})
	s.now = func() time.Time { return now }
	keep(t, s, "", "1")
	keep(t, s, "blue", "a")
	now = now.Add(40 * time.Minute)
	keep(t, s, "", "2")
	now = now.Add(40 * time.Minute)
	if got := texts(page(t, s, Query{Limit: 9})); !slices.Equal(got, []string{"2"}) {
		t.Errorf("got %v", got)
	}
	if got := texts(page(t, s, Query{Room: "blue", Limit: 9})); got != nil || s.bytes != 0 {
		t.Errorf("got %v, %d bytes", got, s.bytes)
	}
}

// Ids grow when the clock is put back, and sort as texts.
func TestIDsGrow(t *testing.T) {
	now := time.UnixMilli(1_764_367_200_000)
	s := NewMemory(Limits{Count: 100, Bytes: 1 << 20, Age: time.Hour})
	s.now = func() time.Time { now = now.Add(-time.Second); return now }
	ids := keep(t, s, "", slices.Repeat([]string{"x"}, 30)...)
	written := make([]string, len(ids))
	for i, id := range ids {
		written[i] = id.String()
		if back, err := ParseID(id.String()); err != nil || back != id {
			t.Errorf("%s is read as %v, %v", id, back, err)
		}
	}
	if !slices.IsSorted(written) || len(slices.Compact(written)) != 30 {
		t.Errorf("got %v", written)
	}
	if written[0] != "1764367199000-00000000" {
		t.Errorf("got %s", written[0])
	}
}

func TestParseIDRefuses(t *testing.T) {
	for _, s := range []string{"", "-", "1", "1-", "-1", "a-1", "1-b", "1--1", "+1-1", "1-1-1", "1 -1", "18446744073709551616-0", strings.Repeat("0", 41) + "-1"} {
		if id, err := ParseID(s); err == nil {
			t.Errorf("%q is read as %v", s, id)
		}
	}
}

// The page of a client whose parser takes ten attachments, and whose queue one mebibyte, must not be more.
func TestPagesAreBounded(t *testing.T) {
	s := NewMemory(Limits{Count: 100, Bytes: 1 << 30, Age: time.Hour})
	for range 8 {
		s.Append(Message{Payload: socketio.Payload{JSON: []byte("{}"), Attachments: [][]byte{{1}, {2}, {3}}}}, nil)
	}
	if p := page(t, s, Query{Limit: 100}); len(p.Messages) != 3 || !p.More {
		t.Errorf("%d messages with three attachments each, more: %v", len(p.Messages), p.More)
	}
	large := strings.Repeat("x", 200<<10)
	ids := keep(t, s, "", large, "2", large, large+large)
	for _, q := range []Query{{Limit: 9}, {Limit: 9, Before: ids[2]}, {Limit: 9, After: ids[0]}, {Limit: 9, After: ids[2]}} {
		p := page(t, s, q)
		bytes := 0
		for _, m := range p.Messages {
			bytes += len(m.Payload.JSON)
		}
		if len(p.Messages) == 0 || bytes > pageBytes && len(p.Messages) > 1 {
			t.Errorf("%+v: %d messages, %d bytes", q, len(p.Messages), bytes)
		}
	}
}

// Whatever is said where, the bounds hold, a room keeps its latest, and no room takes the lobby's place.
func TestBoundsHold(t *testing.T) {
	limits := Limits{Count: 20, Bytes: 40_000, Age: time.Hour}
	s := NewMemory(limits)
	random := rand.New(rand.NewPCG(1, 2))
	lobby := 0
	for n := range 20_000 {
		room := ""
		if random.IntN(10) > 0 {
			room = fmt.Sprint("room", random.IntN(1000))
		} else {
			lobby++
		}
		m := fmt.Sprintf(`"%d%s"`, n, strings.Repeat("x", random.IntN(500)))
		keep(t, s, room, m)
		if got := page(t, s, Query{Room: room, Limit: 200}); len(got.Messages) == 0 || string(got.Messages[len(got.Messages)-1].Payload.JSON) != m {
			t.Fatalf("the latest of %q is not kept", room)
		}
		if s.bytes > limits.Bytes/2 || s.lobby.bytes > limits.Bytes/2 {
			t.Fatalf("%d and %d bytes", s.bytes, s.lobby.bytes)
		}
	}
	if got := page(t, s, Query{Limit: 200}); len(got.Messages) != min(limits.Count, lobby) {
		t.Errorf("%d messages of the lobby", len(got.Messages))
	}
	var bytes int64
	for e := s.used.Front(); e != nil; e = e.Next() {
		bytes += e.Value.(*record).bytes
	}
	if bytes != s.bytes || len(s.rooms) != s.used.Len() {
		t.Errorf("%d bytes, counted %d; %d rooms, %d in the list", bytes, s.bytes, len(s.rooms), s.used.Len())
	}
}

func FuzzParseID(f *testing.F) {
	f.Add("1764367200000-00000001")
	f.Fuzz(func(t *testing.T, s string) {
		if id, err := ParseID(s); err == nil {
			if back, err := ParseID(id.String()); err != nil || back != id {
				t.Errorf("%q is %v, then %v, %v", s, id, back, err)
			}
		}
	})
}

package forward

import (
	"testing"

	"socketio-chat/pkg/engineio"
)

func TestASessionIsReachedThroughAnyInstance(t *testing.T) {
	list := cluster(t, 3, Options{}, engineio.Options{})
	owner := list[0]
	sid := owner.open(t, "EIO=4")
	for i, in := range list {
		if res := do(t, "POST", in.url("EIO=4", sid), "4hello"); res.body != "ok" {
			t.Fatalf("post to %d: %d %q", i, res.status, res.body)
		}
		if res := do(t, "GET", list[(i+1)%3].url("EIO=4", sid), ""); res.body != "4echo hello" {
			t.Fatalf("poll of %d: %d %q", i, res.status, res.body)
		}
	}
	if s := owner.Stats(); s.Served != 4 || s.Polls+s.Posts+s.UnknownOwner != 0 {
		t.Errorf("owner: %+v", s)
	}
	if a, b := list[1].Stats(), list[2].Stats(); a.Polls != 1 || a.Posts != 1 || b.Polls != 1 || b.Posts != 1 || a.Peers != 2 {
		t.Errorf("fronts: %+v, %+v", a, b)
	}
}

package socketio

import (
	"testing"
	"time"

	"github.com/zishang520/socket.io/v2/socket"
)

func TestAsksInVainAreBounded(t *testing.T) {
	var a asks
	now := time.Unix(1_000_000, 0)
	const one, neighbour, other = "[2001:db8:1:2::1]:80", "[2001:db8:1:2::2]:81", "192.0.2.1:80"
	for n := range askBurst {
		if !a.may(one, now) {
			t.Fatalf("refused after %d", n)
		}
		a.inVain(one, now)
	}
	if a.may(one, now) || a.may(neighbour, now) {
		t.Error("one network asks for more than its burst")
	}
	if !a.may(other, now) || !a.may("no address", now) {
		t.Error("another address is refused")
	}
	if !a.may(one, now.Add(time.Second/askPerSecond)) || a.may(one, now.Add(time.Second/askPerSecond/2)) {
		t.Error("the budget does not come back as it should")
	}
	now = now.Add(time.Hour)
	a.inVain(other, now)
	if len(a.vain) != 1 {
		t.Errorf("%d addresses are remembered", len(a.vain))
	}
}

func TestOwnerOf(t *testing.T) {
	own := OriginText("an instance")
	for pid, want := range map[string]string{
		own + "abcdefghijklmnopqrstuvwx":   own,
		"abcdefghijklmnopqrstuvwx":         "", // of an instance that names no owner, and of Node
		"":                                 "",
		"*bcdefghabcdefghijklmnopqrstuvwx": "",
	} {
		if got := OwnerOf(socket.PrivateSessionId(pid)); got != want {
			t.Errorf("%q: %q, want %q", pid, got, want)
		}
	}
}

package cluster

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"socketio-chat/pkg/redisadapter/internal/wire"
)

// The slots that `redis-cli cluster keyslot` of Redis 7.0 tells.
func TestSlotOf(t *testing.T) {
	for name, want := range map[string]uint16{
		"":             0,
		"123456789":    12739, // 0x31c3, the check value of CRC-16/XMODEM
		"foo":          12182,
		"{foo}":        12182,
		"{foo}.bar":    12182,
		"a{foo}":       12182,
		"{foo":         SlotOf("x{{foo}"),
		"{}foo":        crc16("{}foo") % Slots,
		"foo{}{bar}":   crc16("foo{}{bar}") % Slots,
		"{a}{b}":       SlotOf("a"),
		"}{a}":         SlotOf("a"),
		"socket.io#/#": crc16("socket.io#/#") % Slots,
	} {
		if name == "{foo" {
			want = crc16("{foo") % Slots
		}
		if got := SlotOf(name); got != want {
			t.Errorf("%q: %d, want %d", name, got, want)
		}
	}
	if got, want := SlotOf("x{{foo}"), crc16("{foo")%Slots; got != want {
		t.Errorf("a brace in braces: %d, want %d", got, want)
	}
}

// Names can be made for every slot, and everybody makes the same.
func TestNameInSlot(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, prefix := range []string{"socket.io-peers#/chat#", "", "a{b}c#", "{}#", "{open#"} {
		for range 4 {
			slot := uint16(r.IntN(Slots))
			name := NameInSlot(prefix, slot)
			if SlotOf(name) != slot || name != NameInSlot(prefix, slot) || !strings.Contains(name, prefix) {
				t.Errorf("%q in %d: %q is in %d", prefix, slot, name, SlotOf(name))
			}
		}
	}
	if name, slot := "x{tag}#", SlotOf("tag"); !strings.HasPrefix(NameInSlot(name, slot), name) {
		t.Errorf("a name that is there already became %q", NameInSlot(name, slot))
	}
}

// An instance's response channel is at the server of its namespace, so that one connection brings both; its id keeps what is random in it.
func TestAdapterID(t *testing.T) {
	for _, nsp := range []string{"/", "/chat", "/a{b}", "/{tag}/x", "/방"} {
		for range 5 {
			id := wire.NewID()
			got := AdapterID("socket.io", nsp, id)
			main := "socket.io#" + nsp + "#"
			if !strings.HasPrefix(got, id[:8]) || SlotOf(main+got+"#") != SlotOf(main) {
				t.Errorf("%s: %s became %s, in slot %d", nsp, id, got, SlotOf(main+got+"#"))
			}
			if !strings.Contains(nsp, "{") && len(got) > 12 {
				t.Errorf("%s: %s is longer than what Node's have", nsp, got)
			}
		}
	}
	// A brace in the key, which the id would close: no id will do, and the instance has one all the same.
	if got := AdapterID("a{", "/", "0123456789ab"); got == "" {
		t.Error("no id")
	}
}

// All channels of a namespace that ours have in common are in one slot.
func TestChannelsAreInOneSlot(t *testing.T) {
	for _, nsp := range []string{"/", "/chat", "/a{b}"} {
		n := ChannelsOf("socket.io", nsp)
		if want := "socket.io#" + nsp + "#"; n.Main != want || n.Specific("r") != want+"r#" {
			t.Errorf("%s: %+v", nsp, n)
		}
		if SlotOf(n.Peers) != SlotOf(n.Main) || n.Peers == n.Main || !strings.Contains(n.Peers, fmt.Sprintf("socket.io-peers#%s#", nsp)) {
			t.Errorf("%s: peers at %s", nsp, n.Peers)
		}
	}
}

//go:build linux

package client

import (
	"slices"
	"testing"
)

func cutAll(body []byte, protocol int) (packets []string, err error) {
	for len(body) > 0 {
		var p []byte
		if p, body, err = cutPacket(body, protocol); err != nil {
			return packets, err
		}
		packets = append(packets, string(p))
	}
	return packets, nil
}

func TestCutPacket(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		protocol   int
		want       []string
	}{
		{"one of 4", `42["a"]`, 4, []string{`42["a"]`}},
		{"two of 4", "40/chat,\x1e2", 4, []string{"40/chat,", "2"}},
		{"one of 3", "2:40", 3, []string{"40"}},
		{"two of 3", "2:407:40/chat", 3, []string{"40", "40/chat"}},
		{"Korean: a unit each", `7:42["안"]1:2`, 3, []string{`42["안"]`, "2"}},
		{"emoji: two units each", `8:42["😀"]1:2`, 3, []string{`42["😀"]`, "2"}},
	} {
		got, err := cutAll([]byte(tt.body), tt.protocol)
		if err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, %v; want %q", tt.name, got, err, tt.want)
		}
	}
}

func TestCutPacketRefuses(t *testing.T) {
	for _, body := range []string{"2", "x:40", "-1:40", ":40", "9:40", "2:4", "99999999999999999999:4"} {
		if got, err := cutAll([]byte(body), 3); err == nil {
			t.Errorf("%q gave %q", body, got)
		}
	}
}

func TestUTF16Len(t *testing.T) {
	for text, want := range map[string]int{"": 0, "abc": 3, "안녕": 2, "😀": 2, "a😀안": 4} {
		if got := utf16Len([]byte(text)); got != want {
			t.Errorf("%q has %d units, want %d", text, got, want)
		}
	}
}

func FuzzCutPacket(f *testing.F) {
	f.Add([]byte("2:407:40/chat"))
	f.Add([]byte(`8:42["😀"]1:2`))
	f.Fuzz(func(t *testing.T, body []byte) {
		packet, rest, err := cutPacket(body, 3)
		if err == nil && len(packet)+len(rest) >= len(body) {
			t.Errorf("%q: nothing was cut off", body)
		}
	})
}

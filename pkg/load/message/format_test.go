package message

import (
	"strings"
	"testing"
)

const testRun = 0x3f2a

func newFormat(t testing.TB, size int) *Format {
	t.Helper()
	f, err := NewFormat(testRun, "/chat", size)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestAppendWire(t *testing.T) {
	f := newFormat(t, 32)
	got := string(f.Append([]byte("4"), Mark{Run: 1, Sender: 7, Seq: 300, Micros: 9}))
	want := `42/chat,["msgToServer",{"name":"chat-load","text":"~3f2a00070000012c00000009......."}]`
	if got != want {
		t.Errorf("built\n%s, want\n%s", got, want)
	}
	if f.Len() != len(want)-1 {
		t.Errorf("Len is %d, want %d", f.Len(), len(want)-1)
	}
}

func TestMainNamespaceHasNoName(t *testing.T) {
	f, err := NewFormat(testRun, "/", MarkLen)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(f.Append(nil, Mark{})); !strings.HasPrefix(got, `2["msgToServer",`) {
		t.Errorf("built %s", got)
	}
}

func TestNewFormatRefusesShortTexts(t *testing.T) {
	if _, err := NewFormat(testRun, "/chat", MarkLen-1); err == nil {
		t.Error("accepted a text that cannot hold its mark")
	}
}

func TestMatch(t *testing.T) {
	f := newFormat(t, 32)
	whole := Mark{Run: testRun, Sender: 7, Seq: 300, Micros: 9}
	for _, tt := range []struct {
		name, packet string
		mark         Mark
		kind         Kind
	}{
		{"as sent", `2/chat,["msgToClient",{"name":"chat-load","text":"~3f2a00070000012c00000009......."}]`, whole, Ours},
		{"other key order", `2/chat,["msgToClient",{"text":"~3f2a00070000012c00000009.......","name":"chat-load"}]`, whole, Ours},
		{"other spacing", `2/chat, ["msgToClient", {"name": "chat-load", "text": "~3f2a00070000012c00000009......."}]`, whole, Ours},
		{"join notice", `2/chat,["msgToClient",{"name":"admin","text":"join chat."}]`, Mark{}, Notice},
		{"join notice, other order", `2/chat,["msgToClient",{"text":"join chat.","name":"admin"}]`, Mark{}, Notice},
		{"another run", `2/chat,["msgToClient",{"name":"chat-load","text":"~000100070000012c00000009......."}]`, Mark{}, Foreign},
		{"somebody else", `2/chat,["msgToClient",{"name":"안","text":"녕"}]`, Mark{}, Foreign},
		{"no object", `2/chat,["msgToClient",null]`, Mark{}, Foreign},
		{"a number for a name", `2/chat,["msgToClient",{"name":1,"text":"~3f2a0007"}]`, Mark{}, Damaged},
		{"padding cut", `2/chat,["msgToClient",{"name":"chat-load","text":"~3f2a00070000012c00000009......"}]`, whole, Damaged},
		{"padding changed", `2/chat,["msgToClient",{"name":"chat-load","text":"~3f2a00070000012c00000009......!"}]`, whole, Damaged},
		{"name changed", `2/chat,["msgToClient",{"name":"chat-lord","text":"~3f2a00070000012c00000009......."}]`, whole, Damaged},
		{"mark changed", `2/chat,["msgToClient",{"name":"chat-load","text":"~3f2a00070000012cX0000009......."}]`, Mark{}, Damaged},
		{"another event", `2/chat,["else",{"name":"chat-load"}]`, Mark{}, Other},
		{"an acknowledgement", `3/chat,1["msgToClient",{}]`, Mark{}, Other},
		{"no payload", `2/chat,["msgToClient"]`, Mark{}, Other},
		{"broken", `2/chat,["msgToClient",{"name"`, Mark{}, Other},
		{"a bare bracket", `[`, Mark{}, Other},
		{"empty", ``, Mark{}, Other},
	} {
		mark, kind := f.Match([]byte(tt.packet))
		if kind != tt.kind || mark != tt.mark {
			t.Errorf("%s: kind %d %+v, want %d %+v", tt.name, kind, mark, tt.kind, tt.mark)
		}
	}
}

// Whatever part of a message is missing, it is never counted as whole.
func TestMatchTruncated(t *testing.T) {
	f := newFormat(t, 40)
	packet := `2/chat,["msgToClient",{"name":"chat-load","text":"~3f2a00070000012c00000009..............."}]`
	for i := range len(packet) {
		if _, kind := f.Match([]byte(packet[:i])); kind == Ours {
			t.Errorf("took the first %d bytes for a whole message", i)
		}
	}
}

func TestMatchDoesNotAllocate(t *testing.T) {
	f := newFormat(t, 32)
	ours := []byte(`2/chat,["msgToClient",{"name":"chat-load","text":"~3f2a00070000012c00000009......."}]`)
	notice := []byte(`2/chat,["msgToClient",{"name":"admin","text":"join chat."}]`)
	if n := testing.AllocsPerRun(100, func() { f.Match(ours); f.Match(notice) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzMatch(f *testing.F) {
	format := newFormat(f, 32)
	f.Add([]byte(`2/chat,["msgToClient",{"name":"chat-load","text":"~3f2a00070000012c00000009......."}]`))
	f.Add([]byte(`2/chat,["msgToClient",{"name":"admin","text":"join chat."}]`))
	f.Fuzz(func(t *testing.T, packet []byte) {
		if m, kind := format.Match(packet); kind == Ours && m.Run != testRun {
			t.Errorf("run %x of %q is not ours", m.Run, packet)
		}
	})
}

func BenchmarkMatch(b *testing.B) {
	f := newFormat(b, 32)
	packet := []byte(`2/chat,["msgToClient",{"name":"chat-load","text":"~3f2a00070000012c00000009......."}]`)
	b.ReportAllocs()
	for b.Loop() {
		if _, kind := f.Match(packet); kind != Ours {
			b.Fatal("not recognised")
		}
	}
}

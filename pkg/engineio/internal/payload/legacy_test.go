package payload

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"socketio-chat/pkg/engineio/internal/packet"
	"socketio-chat/pkg/engineio/internal/utf"
)

// latin1 returns bytes as the characters of the same numbers, which in UTF-8 is bytes encoded once more.
func latin1(data []byte) []byte {
	var out []byte
	for _, b := range data {
		out = utf8.AppendRune(out, rune(b))
	}
	return out
}

func TestAppendASCII(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{`2["m","안"]`, `2["m","\uc548"]`},
		{`2["é😀\u0000"]`, `2["\u00e9\ud83d\ude00\u0000"]`},
		{`2["a\"é\\"],é`, `2["a\"\u00e9\\"],é`}, // a quotation mark and a backslash within, a character without
		{`2/방,["é"]`, `2/방,["\u00e9"]`},         // a namespace is not JSON
		{`2["é`, `2["\u00e9`},
		{`2["\`, `2["\`},
		{`2["\é"]`, `2["\\u00e9"]`}, // no JSON either way
		{"2[\"\u2028\uffff\U0010ffff\"]", `2["\u2028\uffff\udbff\udfff"]`},
	} {
		if got := string(appendASCII([]byte("kept"), []byte(tt.in))); got != "kept"+tt.want {
			t.Errorf("%s: got %s, want %s", tt.in, got, tt.want)
		}
	}
}

func TestTextRuleOf(t *testing.T) {
	for _, tt := range []struct {
		query string
		want  TextRule
	}{
		{"EIO=2&transport=polling&t=1795375970873-0", TextTwice},        // 1.0.6
		{"EIO=3&transport=polling&t=1795375979849-0", TextTwice},        // 1.1.0
		{"EIO=3&transport=polling&t=1795376005713-12&b64=1", TextTwice}, // 1.3.7
		{"EIO=3&transport=polling&t=Q84hNl8", TextUnknown},              // 1.4.5, 2.5.0
		{"EIO=3&transport=polling&t=Q84mI-q.12", TextUnknown},
		{"EIO=3&transport=polling&t=1795376005713", TextUnknown}, // a script's Date.now()
		{"EIO=3&transport=polling&t=1795376005713-", TextUnknown},
		{"EIO=3&transport=polling&t=1795376005713-x", TextUnknown},
		{"EIO=3&transport=polling&t=17953760057131-", TextUnknown},
		{"EIO=3&transport=polling", TextUnknown},
	} {
		q, err := url.ParseQuery(tt.query)
		if err != nil {
			t.Fatal(err)
		}
		if got := TextRuleOf(q.Get("EIO"), q.Get("t")); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.query, got, tt.want)
		}
	}
}

// recordedClient is a line of testdata/legacy_posts.jsonl.
type recordedClient struct {
	Client, Env, Handshake string
	Posts                  []struct{ Type, Body string }
	Texts                  []string
}

// TestRecordedClients decodes what real clients of every generation sent, each POST as a connection does: the rule
// comes from the handshake or from the connect packet, which is the first.
func TestRecordedClients(t *testing.T) {
	file, err := os.Open("testdata/legacy_posts.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for decoder := json.NewDecoder(file); decoder.More(); {
		var l recordedClient
		if err := decoder.Decode(&l); err != nil {
			t.Fatal(err)
		}
		t.Run(l.Client+" "+l.Env, func(t *testing.T) {
			query, err := url.ParseQuery(l.Handshake)
			if err != nil {
				t.Fatal(err)
			}
			legacy := strings.HasPrefix(l.Client, "1.")
			rule := TextRuleOf(query.Get("EIO"), query.Get("t"))
			want := []string{"0/chat,"}
			if legacy {
				want[0] = "0/chat"
			}
			for _, text := range l.Texts {
				quoted, err := jsonString(string(unhexString(t, text)))
				if err != nil {
					t.Fatal(err)
				}
				want = append(want, fmt.Sprintf(`2/chat,["m",%s]`, quoted))
			}
			var got []string
			for _, post := range l.Posts {
				ps, octets := decodePost(t, post.Type, unhexString(t, post.Body))
				for _, p := range ps {
					if rule == TextTwice && !octets {
						p.Data, _ = utf.Undouble(p.Data)
					}
					got = append(got, string(p.Data))
					if rule == TextUnknown { // what the Socket.IO layer does with a connect packet
						if rule = TextTwice; bytes.HasSuffix(p.Data, []byte(",")) {
							rule = TextOnce
						}
					}
				}
			}
			if strings.Join(got, "\n") != strings.Join(want, "\n") {
				t.Errorf("got\n%q\nwant\n%q", got, want)
			}
			if (rule == TextTwice) != legacy {
				t.Errorf("taken for generation %d", rule)
			}
		})
	}
}

// jsonString quotes text as a browser's JSON.stringify does.
func jsonString(text string) (string, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(text)
	return strings.ReplaceAll(strings.TrimSpace(out.String()), `\u2028`, "\u2028"), err
}

func decodePost(t *testing.T, contentType string, body []byte) (ps []packet.Packet, octets bool) {
	t.Helper()
	form := "v3"
	switch contentType {
	case "application/octet-stream":
		form = "v3binary"
	case "application/x-www-form-urlencoded":
		form = "jsonp3"
	}
	ps, err := decodeForm(form, body)
	if err != nil {
		t.Fatalf("%q: %v", body, err)
	}
	return ps, form == "v3binary"
}

// A reader decodes a poll response as one kind of client does, and returns the text of its messages.
type reader struct {
	name string
	b64  bool
	rule TextRule // what the server gets to know in the end
	text func(body []byte) ([]string, error)
}

var readers = []reader{
	{"1.0 with binary support", false, TextTwice, func([]byte) ([]string, error) { return nil, errors.New("text form") }},
	{"1.4 with binary support", false, TextTwice, func(body []byte) ([]string, error) {
		if len(body) > 65536 {
			return nil, errors.New("too many arguments of String.fromCharCode")
		}
		return readText(latin1(body), true)
	}},
	{"1.x with b64=1", true, TextTwice, func(body []byte) ([]string, error) { return readText(body, true) }},
	{"2.x with binary support", false, TextOnce, func(body []byte) ([]string, error) { return readText(body, false) }},
	{"2.x with b64=1", true, TextOnce, func(body []byte) ([]string, error) { return readText(body, false) }},
}

// readText reads a text form whose characters are those of body, and decodes each packet once more if twice is set.
func readText(body []byte, twice bool) ([]string, error) {
	ps, err := DecodeV3(body)
	var texts []string
	for _, p := range ps {
		if twice && !utf.IsASCII(p.Data) && !p.Binary {
			var ok bool
			if p.Data, ok = utf.Undouble(p.Data); !ok {
				return nil, errors.New("invalid continuation byte")
			}
		}
		texts = append(texts, string(p.Data))
	}
	return texts, err
}

func (r reader) read(body []byte, octets bool) ([]string, error) {
	if !octets {
		return r.text(body)
	}
	if r.b64 {
		return nil, errors.New("binary form")
	}
	ps, err := DecodeV3Binary(body)
	var texts []string
	for _, p := range ps {
		texts = append(texts, string(p.Data))
	}
	return texts, err
}

// Every client reads every response, before the server knows what kind it is and after.
func TestResponseIsReadByAll(t *testing.T) {
	for _, texts := range [][]string{
		{`0/chat`},
		{`2/chat,["m","안녕"]`, `2/chat,["m","abc"]`},
		{`2/chat,["m","é"]`},
		{`2/chat,["m","😀\"\\é","Ã©"]`, `2["\u2028 : \u001e"]`},
		{`2/chat,["m","` + strings.Repeat("가", 60000) + `"]`},
		{`2/chat,["m","` + strings.Repeat("a", 300000) + `"]`},
	} {
		var ps []packet.Packet
		for _, text := range texts {
			ps = append(ps, packet.Packet{Type: packet.Message, Data: []byte(text)})
		}
		for _, r := range readers {
			for _, rule := range []TextRule{TextUnknown, r.rule} {
				if r.name == "1.0 with binary support" {
					rule = TextTwice // known from the handshake
				}
				body, octets := AppendResponseV3(nil, ps, r.b64, rule)
				got, err := r.read(body, octets)
				if err != nil {
					t.Errorf("%s, rule %d: %.40q: %v", r.name, rule, body, err)
					continue
				}
				for i := range texts {
					if !sameJSON(got[i], texts[i]) {
						t.Errorf("%s, rule %d: %.40q reads %.40q", r.name, rule, texts[i], got[i])
					}
					if r.rule == TextOnce && rule == TextOnce && got[i] != texts[i] {
						t.Errorf("%s: %.40q was rewritten: %.40q", r.name, texts[i], got[i])
					}
				}
			}
		}
	}
}

// sameJSON tells whether two messages are equal but for the way JSON writes them.
func sameJSON(a, b string) bool {
	i, j := strings.IndexByte(a, '['), strings.IndexByte(b, '[')
	if i < 0 || j < 0 {
		return a == b
	}
	var x, y []string
	errA, errB := json.Unmarshal([]byte(a[i:]), &x), json.Unmarshal([]byte(b[j:]), &y)
	return a[:i] == b[:j] && errA == nil && errB == nil && strings.Join(x, "\x00") == strings.Join(y, "\x00")
}

// A 2.x client gets exactly what the Node server sends: the binary form with binary packets only.
func TestResponseOfKnownClients(t *testing.T) {
	korean := []packet.Packet{{Type: packet.Message, Data: []byte(`2["안"]`)}}
	mixed := append([]packet.Packet{{Type: packet.Message, Data: []byte{1}, Binary: true}}, korean...)
	for _, tt := range []struct {
		name   string
		ps     []packet.Packet
		b64    bool
		rule   TextRule
		want   string
		octets bool
	}{
		{"2.x", korean, false, TextOnce, `7:42["안"]`, false},
		{"2.x, b64", korean, true, TextOnce, `7:42["안"]`, false},
		{"2.x, binary", mixed, false, TextOnce, "\x01\x02\xff\x04\x01\x00\x09\xff42[\"안\"]", true},
		{"2.x, binary, b64", mixed, true, TextOnce, `6:b4AQ==7:42["안"]`, false},
		{"unknown", korean, false, TextUnknown, "\x00\x09\xff42[\"안\"]", true},
		{"unknown, b64", mixed, true, TextUnknown, `6:b4AQ==12:42["\uc548"]`, false},
		{"unknown, ASCII", []packet.Packet{{Type: packet.Noop}}, false, TextUnknown, "1:6", false},
		{"1.x, ASCII", []packet.Packet{{Type: packet.Noop}}, false, TextTwice, "\x00\x01\xff6", true},
		{"nothing", nil, false, TextUnknown, "0:", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			body, octets := AppendResponseV3([]byte("kept"), tt.ps, tt.b64, tt.rule)
			if string(body) != "kept"+tt.want || octets != tt.octets {
				t.Errorf("got %q, %v, want %q, %v", body, octets, tt.want, tt.octets)
			}
		})
	}
}

func TestResponseDoesNotAllocate(t *testing.T) {
	ps := []packet.Packet{{Type: packet.Message, Data: []byte(`2["m","안녕 😀"]`)}, {Type: packet.Message, Data: []byte(`2["m","é"]`)}}
	dst := make([]byte, 0, 4096)
	for _, b64 := range []bool{false, true} {
		if n := testing.AllocsPerRun(100, func() { AppendResponseV3(dst, ps, b64, TextUnknown) }); n != 0 {
			t.Errorf("b64 %v: %v allocations", b64, n)
		}
	}
}

func FuzzAppendASCII(f *testing.F) {
	for _, s := range []string{"", "안", "\"\\😀", "é\x00\u2028", "\\u"} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		text, err := json.Marshal([]string{strings.ToValidUTF8(a, ""), strings.ToValidUTF8(b, "")})
		if err != nil {
			t.Fatal(err)
		}
		got := appendASCII(nil, text)
		if !utf.IsASCII(got) || !sameJSON(string(got), string(text)) {
			t.Errorf("%s becomes %s", text, got)
		}
	})
}

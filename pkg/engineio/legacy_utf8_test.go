package engineio

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
)

// latin1 returns bytes as the characters of the same numbers, which in UTF-8 is bytes encoded once more.
func latin1(data []byte) []byte {
	var out []byte
	for _, b := range data {
		out = utf8.AppendRune(out, rune(b))
	}
	return out
}

func TestUndoubleUTF8(t *testing.T) {
	for _, tt := range []struct {
		name, in, want string
		ok             bool
	}{
		{"안", "\xc3\xac\xc2\x95\xc2\x88", "안", true},
		{"within JSON", "2/chat,[\"m\",\"\xc3\xac\xc2\x95\xc2\x88\"]", `2/chat,["m","안"]`, true},
		{"é", "\xc3\x83\xc2\xa9", "é", true},
		{"😀", "\xc3\xb0\xc2\x9f\xc2\x98\xc2\x80", "😀", true},
		{"U+10FFFF", string(latin1([]byte("\U0010ffff"))), "\U0010ffff", true},
		{"twice undone is not thrice", string(latin1(latin1([]byte("é")))), "Ã©", true},
		{"half a pair", string(latin1([]byte("a\xed\xa0\xbdb"))), "a\ufffdb", true},
		{"ASCII", `2["m","\u0000"]`, `2["m","\u0000"]`, false},
		{"empty", "", "", false},
		{"once encoded", "안", "안", false},
		{"Latin-1, once encoded", "café", "café", false},
		{"one of two", "\xc3\x83\xc2\xa9é", "Ã©é", false},
		{"doubly encoded and beyond U+00FF", "\xc3\x83\xc2\xa9안", "Ã©안", false},
		{"cut character", "\xc3\xac\xc2\x95", "\xc3\xac\xc2\x95", false},
		{"overlong", string(latin1([]byte("\xc0\x80"))), "À\u0080", false},
		{"beyond U+10FFFF", string(latin1([]byte("\xf4\x90\x80\x80"))), "ô\u0090\u0080\u0080", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := []byte(tt.in)
			got, ok := undoubleUTF8(in)
			if ok != tt.ok || string(got) != tt.want {
				t.Errorf("got %q, %v, want %q, %v", got, ok, tt.want, tt.ok)
			}
			if string(in) != tt.in {
				t.Errorf("input changed to %q", in)
			}
		})
	}
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
		want  textRule
	}{
		{"EIO=2&transport=polling&t=1795375970873-0", textTwice},        // 1.0.6
		{"EIO=3&transport=polling&t=1795375979849-0", textTwice},        // 1.1.0
		{"EIO=3&transport=polling&t=1795376005713-12&b64=1", textTwice}, // 1.3.7
		{"EIO=3&transport=polling&t=Q84hNl8", textUnknown},              // 1.4.5, 2.5.0
		{"EIO=3&transport=polling&t=Q84mI-q.12", textUnknown},
		{"EIO=3&transport=polling&t=1795376005713", textUnknown}, // a script's Date.now()
		{"EIO=3&transport=polling&t=1795376005713-", textUnknown},
		{"EIO=3&transport=polling&t=1795376005713-x", textUnknown},
		{"EIO=3&transport=polling&t=17953760057131-", textUnknown},
		{"EIO=3&transport=polling", textUnknown},
	} {
		q, err := url.ParseQuery(tt.query)
		if err != nil {
			t.Fatal(err)
		}
		if got := textRuleOf(q); got != tt.want {
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
			rule := textRuleOf(query)
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
					if rule == textTwice && !octets {
						p.data, _ = undoubleUTF8(p.data)
					}
					got = append(got, string(p.data))
					if rule == textUnknown { // what the Socket.IO layer does with a connect packet
						if rule = textTwice; bytes.HasSuffix(p.data, []byte(",")) {
							rule = textOnce
						}
					}
				}
			}
			if strings.Join(got, "\n") != strings.Join(want, "\n") {
				t.Errorf("got\n%q\nwant\n%q", got, want)
			}
			if (rule == textTwice) != legacy {
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

func decodePost(t *testing.T, contentType string, body []byte) (ps []packet, octets bool) {
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
	rule textRule // what the server gets to know in the end
	text func(body []byte) ([]string, error)
}

var readers = []reader{
	{"1.0 with binary support", false, textTwice, func([]byte) ([]string, error) { return nil, errors.New("text form") }},
	{"1.4 with binary support", false, textTwice, func(body []byte) ([]string, error) {
		if len(body) > 65536 {
			return nil, errors.New("too many arguments of String.fromCharCode")
		}
		return readText(latin1(body), true)
	}},
	{"1.x with b64=1", true, textTwice, func(body []byte) ([]string, error) { return readText(body, true) }},
	{"2.x with binary support", false, textOnce, func(body []byte) ([]string, error) { return readText(body, false) }},
	{"2.x with b64=1", true, textOnce, func(body []byte) ([]string, error) { return readText(body, false) }},
}

// readText reads a text form whose characters are those of body, and decodes each packet once more if twice is set.
func readText(body []byte, twice bool) ([]string, error) {
	ps, err := decodePayloadV3(body)
	var texts []string
	for _, p := range ps {
		if twice && !isASCII(p.data) && !p.binary {
			var ok bool
			if p.data, ok = undoubleUTF8(p.data); !ok {
				return nil, errors.New("invalid continuation byte")
			}
		}
		texts = append(texts, string(p.data))
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
	ps, err := decodePayloadV3Binary(body)
	var texts []string
	for _, p := range ps {
		texts = append(texts, string(p.data))
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
		var ps []packet
		for _, text := range texts {
			ps = append(ps, packet{typ: packetMessage, data: []byte(text)})
		}
		for _, r := range readers {
			for _, rule := range []textRule{textUnknown, r.rule} {
				if r.name == "1.0 with binary support" {
					rule = textTwice // known from the handshake
				}
				body, octets := appendResponseV3(nil, ps, r.b64, rule)
				got, err := r.read(body, octets)
				if err != nil {
					t.Errorf("%s, rule %d: %.40q: %v", r.name, rule, body, err)
					continue
				}
				for i := range texts {
					if !sameJSON(got[i], texts[i]) {
						t.Errorf("%s, rule %d: %.40q reads %.40q", r.name, rule, texts[i], got[i])
					}
					if r.rule == textOnce && rule == textOnce && got[i] != texts[i] {
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
	korean := []packet{{typ: packetMessage, data: []byte(`2["안"]`)}}
	mixed := append([]packet{{typ: packetMessage, data: []byte{1}, binary: true}}, korean...)
	for _, tt := range []struct {
		name   string
		ps     []packet
		b64    bool
		rule   textRule
		want   string
		octets bool
	}{
		{"2.x", korean, false, textOnce, `7:42["안"]`, false},
		{"2.x, b64", korean, true, textOnce, `7:42["안"]`, false},
		{"2.x, binary", mixed, false, textOnce, "\x01\x02\xff\x04\x01\x00\x09\xff42[\"안\"]", true},
		{"2.x, binary, b64", mixed, true, textOnce, `6:b4AQ==7:42["안"]`, false},
		{"unknown", korean, false, textUnknown, "\x00\x09\xff42[\"안\"]", true},
		{"unknown, b64", mixed, true, textUnknown, `6:b4AQ==12:42["\uc548"]`, false},
		{"unknown, ASCII", []packet{{typ: packetNoop}}, false, textUnknown, "1:6", false},
		{"1.x, ASCII", []packet{{typ: packetNoop}}, false, textTwice, "\x00\x01\xff6", true},
		{"nothing", nil, false, textUnknown, "0:", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			body, octets := appendResponseV3([]byte("kept"), tt.ps, tt.b64, tt.rule)
			if string(body) != "kept"+tt.want || octets != tt.octets {
				t.Errorf("got %q, %v, want %q, %v", body, octets, tt.want, tt.octets)
			}
		})
	}
}

func TestResponseDoesNotAllocate(t *testing.T) {
	ps := []packet{{typ: packetMessage, data: []byte(`2["m","안녕 😀"]`)}, {typ: packetMessage, data: []byte(`2["m","é"]`)}}
	dst := make([]byte, 0, 4096)
	for _, b64 := range []bool{false, true} {
		if n := testing.AllocsPerRun(100, func() { appendResponseV3(dst, ps, b64, textUnknown) }); n != 0 {
			t.Errorf("b64 %v: %v allocations", b64, n)
		}
	}
}

func FuzzUndoubleUTF8(f *testing.F) {
	for _, s := range []string{"", "a", "안", "é", "Ã©", "\xc3\xac\xc2\x95\xc2\x88", "\xed\xa0\xbd", "😀\xff"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		text := replaceInvalidUTF8(data)
		got, ok := undoubleUTF8(text)
		if !ok && !bytes.Equal(got, text) || !utf8.Valid(got) {
			t.Errorf("%q, %v becomes %q", text, ok, got)
		}
		if ok && !bytes.Contains(got, []byte("\ufffd")) && !bytes.Equal(latin1(got), text) {
			t.Errorf("%q was not %q encoded twice", text, got)
		}
		if isASCII(text) {
			return
		}
		if got, ok := undoubleUTF8(latin1(text)); !ok || !bytes.Equal(got, text) {
			t.Errorf("%q comes back as %q, %v", text, got, ok)
		}
	})
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
		if !isASCII(got) || !sameJSON(string(got), string(text)) {
			t.Errorf("%s becomes %s", text, got)
		}
	})
}

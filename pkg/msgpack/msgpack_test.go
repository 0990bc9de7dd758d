package msgpack

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"socketio-chat/pkg/jsonscan"
)

// wireText is the MessagePack of a JSON text.
func wireText(t testing.TB, text string, attachments ...[]byte) (wire []byte, lossy bool) {
	t.Helper()
	e := &Encoder{}
	if err := e.Scan([]byte(text), len(attachments)); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	e.AppendJSON([]byte(text), attachments)
	return e.Out, e.Lossy
}

// Every kind of JSON value: what a Node peer decodes (printed as JSON), and whether one of ours
// needs the text itself.
func TestEncodeValues(t *testing.T) {
	for _, tc := range []struct {
		text, node string // node "": the same
		lossy      bool
	}{
		{text: `null`}, {text: `true`}, {text: `false`}, {text: `""`}, {text: `[]`}, {text: `{}`}, {text: `0`},
		{text: `{"z":1,"a":{"10":2,"9":3}}`},
		{text: `{"a":1,"a":2}`},
		{text: " [ 1 , {\t\"a\" : [ ] } ]\r\n", node: `[1,{"a":[]}]`},
		{text: `"a\/b\u0041"`, node: `"a/bA"`},
		{text: `"\u0000\u001f\b\t\n\f\r\"\\"`},
		{text: `"안녕 👋 \u2028"`, node: "\"안녕 👋 \u2028\""},
		{text: `"\ud83d\udc4b"`, node: `"👋"`},
		// Integers are exact as far as 64 bits reach.
		{text: `9007199254740993`}, {text: `18446744073709551615`}, {text: `-9223372036854775808`},
		{text: `18446744073709551616`, node: `18446744073709552000`, lossy: true},
		{text: `-9223372036854775809`, node: `-9223372036854776000`, lossy: true},
		{text: `1e+21`},
		{text: `1e21`, node: `1e+21`, lossy: true},
		{text: `1000000000000000000000`, node: `1e+21`, lossy: true},
		{text: `100000000000000000000`},
		{text: `0.1`}, {text: `-1.5`}, {text: `1e-7`}, {text: `5e-324`}, {text: `1.7976931348623157e+308`}, {text: `0.000001`},
		{text: `1.0`, node: `1`, lossy: true}, {text: `1E2`, node: `100`, lossy: true}, {text: `-0`, node: `0`, lossy: true},
		{text: `1e400`, node: `null`, lossy: true}, {text: `0.1000`, node: `0.1`, lossy: true},
		// Half a surrogate pair has no UTF-8.
		{text: `"\ud800"`, node: `"�"`, lossy: true},
		{text: `"\udc00\ud800"`, node: `"��"`, lossy: true},
		{text: `"\ud800\u0041"`, node: `"�A"`, lossy: true},
		{text: `{"\ud800":1}`, node: `{"�":1}`, lossy: true},
		// A Node peer would set the prototype of the object.
		{text: `{"a":1,"__proto__":{"b":[1,2]},"c":[3]}`, node: `{"a":1,"c":[3]}`, lossy: true},
		{text: `{"\u005f_proto__":1}`, node: `{}`, lossy: true},
		{text: `["__proto__"]`},
	} {
		wire, lossy := wireText(t, tc.text)
		d := Decoder{}
		rest, err := d.Value(wire)
		if err != nil || len(rest) > 0 {
			t.Errorf("%s: %v, %d bytes left", tc.text, err, len(rest))
		}
		want := tc.node
		if want == "" {
			want = tc.text
		}
		if string(d.Out) != want || lossy != tc.lossy {
			t.Errorf("%s: got %s (lossy %v), want %s (%v)", tc.text, d.Out, lossy, want, tc.lossy)
		}
	}
}

func TestSizesOfEachHeader(t *testing.T) {
	for _, n := range []int{0, 15, 16, 31, 32, 255, 256, 65535, 65536} {
		for _, text := range []string{
			`"` + strings.Repeat("x", n) + `"`,
			`[` + strings.TrimSuffix(strings.Repeat("7,", n), ",") + `]`,
			`{` + strings.TrimSuffix(strings.Repeat(`"k":7,`, n), ",") + `}`,
		} {
			wire, lossy := wireText(t, text)
			d := Decoder{}
			if _, err := d.Value(wire); err != nil || lossy || string(d.Out) != text {
				t.Errorf("%d, %.10s: %v", n, text, err)
			}
		}
	}
}

func TestPlaceholders(t *testing.T) {
	one, two := []byte{1}, bytes.Repeat([]byte{2}, 300)
	for _, tc := range []struct{ text, want string }{
		{`["e",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`, ""},
		{`["e",{"num":1,"x":[[{}]],"_placeholder":true},{"_placeholder":true,"num":0}]`, `["e",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`},
		{`["e",{"\u005fplaceholder":true,"num":1}]`, `["e",{"_placeholder":true,"num":0}]`},
		{`["e",{"_placeholder":true,"num":2}]`, ""},
		{`["e",{"_placeholder":false,"num":1}]`, ""},
		{`["e",{"_placeholder":"true","num":1}]`, ""},
		{`["e",{"_placeholder":true,"num":1.5}]`, ""},
		{`["e",{"_placeholder":true,"num":"1"}]`, ""},
	} {
		wire, _ := wireText(t, tc.text, one, two)
		d := Decoder{}
		if _, err := d.Value(wire); err != nil {
			t.Fatal(err)
		}
		want := tc.want
		if want == "" {
			want = tc.text
		}
		if string(d.Out) != want {
			t.Errorf("%s: got %s", tc.text, d.Out)
		}
	}
	wire, _ := wireText(t, `[{"_placeholder":true,"num":0}]`)
	if bytes.Contains(wire, []byte{0xc4}) {
		t.Error("a placeholder without attachments became binary")
	}
}

// Whatever bytes a string holds, clients get valid UTF-8.
func TestStrayBytes(t *testing.T) {
	for in, want := range map[string]string{
		"\xed\xa0\x80":         `"\ud800"`,
		"a\xed\xbf\xbfb":       `"a\udfffb"`,
		"\xed\xa0\xbd\xed\xb1": `"\ud83d` + "\ufffd\ufffd" + `"`,
		"\xff\xfe":             "\"\ufffd\ufffd\"",
		"\xc3":                 "\"\ufffd\"",
		"\xc0\xaf":             "\"\ufffd\ufffd\"",
		"\x7f":                 "\"\x7f\"",
	} {
		if got := string(AppendString(nil, []byte(in))); got != want || !utf8.ValidString(got) {
			t.Errorf("%x: got %s, want %s", in, got, want)
		}
	}
}

func TestNumbersAndDatesLikeJavaScript(t *testing.T) {
	for f, want := range map[float64]string{
		0: "0", math.Copysign(0, -1): "0", 1: "1", -1.5: "-1.5", 1e21: "1e+21", 1e-7: "1e-7", 1.5e-10: "1.5e-10", 123e100: "1.23e+102",
		999999999999999900000: "999999999999999900000", 1e-6: "0.000001", math.NaN(): "null", math.Inf(-1): "null", 4.35: "4.35",
	} {
		if got := string(AppendNumber(nil, f)); got != want {
			t.Errorf("%v: got %s, want %s", f, got, want)
		}
	}
	for ms, want := range map[float64]string{
		0: `"1970-01-01T00:00:00.000Z"`, -62198755200000: `"-000001-01-01T00:00:00.000Z"`, 253402300800000: `"+010000-01-01T00:00:00.000Z"`,
		8.64e15: `"+275760-09-13T00:00:00.000Z"`, 8.64e15 + 1: "null", math.NaN(): "null",
	} {
		if got := string(AppendDate(nil, ms)); got != want {
			t.Errorf("%v: got %s, want %s", ms, got, want)
		}
	}
}

// A JSON text either fails in the first pass or can be encoded; texts that fail say where.
func TestScanErrors(t *testing.T) {
	for _, text := range []string{
		"", " ", "[", "]", "{", "}", "[1", "[1,", "[1,]", "[,1]", "{,}", `{"a"}`, `{"a":}`, `{"a":1,}`, `{a:1}`, `{1:1}`, `"`, `"\`, `"\x"`, `"\u12"`, `"\u12g4"`,
		"\"\x01\"", "01", "-", "1.", ".5", "1e", "1e+", "+1", "nul", "tru", "falsey", "1 2", "[1}", `{"a":1]`, "NaN", "'a'", "[1 2]", "\ufeff1",
		strings.Repeat("[", jsonscan.MaxDepth+1) + strings.Repeat("]", jsonscan.MaxDepth+1),
	} {
		var o Outline
		if err := o.Scan([]byte(text), 0); err == nil {
			t.Errorf("%.20q was accepted", text)
		}
		if len(text) < 100 && json.Valid([]byte(text)) {
			t.Errorf("%q is valid", text)
		}
	}
}

func FuzzScan(f *testing.F) {
	for _, s := range []string{`{"a":[1,2.5e3,"\u00e9",null,{"_placeholder":true,"num":0}],"__proto__":{}}`, `"\ud800"`, ` [ ] `, `-0.0`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		var o Outline
		err := o.Scan(src, 1)
		if valid := json.Valid(src); (err == nil) != valid && !errors.Is(err, jsonscan.ErrDepth) {
			t.Fatalf("scan says %v, encoding/json %v", err, valid)
		}
		if err != nil || o.Depth > 512 {
			return
		}
		e := &Encoder{Outline: o}
		e.AppendJSON(src, [][]byte{{1, 2, 3}})
		d := Decoder{}
		rest, err := d.Value(e.Out)
		if errors.Is(err, ErrAttachments) {
			return
		}
		if err != nil || len(rest) > 0 {
			t.Fatalf("own encoding of %q: %v, %d bytes left", src, err, len(rest))
		}
		if !json.Valid(d.Out) || !utf8.Valid(d.Out) {
			t.Fatalf("%q became %q", src, d.Out)
		}
		if !e.Lossy && utf8.Valid(src) && len(d.Attachments) == 0 && !sameJSON(t, src, d.Out) {
			t.Fatalf("%q became %q without a warning", src, d.Out)
		}
	})
}

// sameJSON compares values, numbers as they are spelled.
func sameJSON(t *testing.T, a, b []byte) bool {
	t.Helper()
	var values [2]bytes.Buffer
	for i, text := range [][]byte{a, b} {
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		e := json.NewEncoder(&values[i])
		for {
			token, err := d.Token()
			if err != nil {
				break
			}
			if err := e.Encode(token); err != nil {
				if delim, ok := token.(json.Delim); ok {
					values[i].WriteString(delim.String())
				} else {
					t.Fatal(err)
				}
			}
		}
	}
	return bytes.Equal(values[0].Bytes(), values[1].Bytes())
}

func TestTimestampExtensions(t *testing.T) {
	ts64 := binary.BigEndian.AppendUint64([]byte{0xd7, 0xff}, 123_000_000<<34|1_700_000_000)
	ts96 := append([]byte{0xc7, 12, 0xff, 0, 0, 0, 0}, binary.BigEndian.AppendUint64(nil, uint64(0xffffffffffffffff))...)
	for _, tc := range []struct {
		wire []byte
		want string
	}{
		{ts64, `"2023-11-14T22:13:20.123Z"`}, {ts96, `"1969-12-31T23:59:59.000Z"`}, {[]byte{0xd6, 0xff, 0, 0, 0, 1}, `"1970-01-01T00:00:01.000Z"`},
		{[]byte{0xd7, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, `"1969-12-31T23:59:59.999Z"`}, {[]byte{0xd4, 0, 0}, "null"},
	} {
		d := Decoder{}
		if _, err := d.Value(tc.wire); err != nil || string(d.Out) != tc.want {
			t.Errorf("%x: got %s, %v, want %s", tc.wire, d.Out, err, tc.want)
		}
	}
}

package jsonscan

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// whole tells what is wrong with a text that has to be one value.
func whole(b []byte) error {
	end, err := Value(b, 0)
	if err != nil {
		return err
	}
	return End(b, end)
}

func TestValue(t *testing.T) {
	nest := func(open, close string, n int) string { return strings.Repeat(open, n) + strings.Repeat(close, n) }
	for text, want := range map[string]error{
		`0`: nil, `-0.5e+7`: nil, `1E9`: nil, `"a\u00e9\n"`: nil, `true`: nil, `false`: nil, `null`: nil, ` [ ] `: nil, "\t{\r\n}": nil,
		`[1,"x",{"a":[{}]}]`: nil, `{"":""}`: nil, `{"a":1,"a":2}`: nil, `"\ud800"`: nil,
		``: ErrEnd, ` `: ErrEnd, `[`: ErrEnd, `{"a"`: ErrEnd, `{"a":`: ErrEnd, `"`: ErrEnd, `"\`: ErrEnd, `"\u12`: ErrEnd, `tru`: ErrEnd, `-`: ErrEnd, `1.`: ErrEnd, `1e+`: ErrEnd,
		`01`: ErrSyntax, `+1`: ErrSyntax, `.5`: ErrSyntax, `1.e`: ErrSyntax, `[1,]`: ErrSyntax, `{,}`: ErrSyntax, `{"a" 1}`: ErrSyntax, `{a:1}`: ErrSyntax, `[1}`: ErrSyntax, `{"a":1]`: ErrSyntax,
		`"` + "\n" + `"`: ErrSyntax, `"\x"`: ErrSyntax, `"\u12g4"`: ErrSyntax, `trux`: ErrSyntax, `NaN`: ErrSyntax, `1 2`: ErrSyntax, `]`: ErrSyntax,
		nest("[", "]", MaxDepth): nil, nest("[", "]", MaxDepth+1): ErrDepth, strings.Repeat(`{"a":`, MaxDepth+1): ErrDepth, strings.Repeat("[", 1<<20): ErrDepth,
	} {
		if err := whole([]byte(text)); !errors.Is(err, want) {
			t.Errorf("%.40s: %v, want %v", text, err, want)
		}
	}
}

func TestElements(t *testing.T) {
	for text, want := range map[string]string{`[]`: "", ` [ ] `: "", `[1]`: "1", "[ 1 ,\n\"a,]\" ,[2,3] , {\"b\":[4]} ] ": `1|"a,]"|[2,3]|{"b":[4]}`} {
		var got []string
		if err := Elements([]byte(text), func(start, end int) error { got = append(got, text[start:end]); return nil }); err != nil || strings.Join(got, "|") != want {
			t.Errorf("%s: %q, %v", text, got, err)
		}
	}
	for text, want := range map[string]error{``: ErrEnd, `{}`: ErrNoArray, `1`: ErrNoArray, `[1`: ErrEnd, `[1,`: ErrEnd, `[1,]`: ErrSyntax, `[] x`: ErrSyntax, `[1 2]`: ErrSyntax, `[[`: ErrEnd} {
		if err := Elements([]byte(text), func(int, int) error { return nil }); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", text, err, want)
		}
	}
	enough, n := errors.New("enough"), 0
	err := Elements([]byte(`[1,2,3,x`), func(int, int) error {
		if n++; n == 2 {
			return enough
		}
		return nil
	})
	if err != enough || n != 2 {
		t.Errorf("%v after %d", err, n)
	}
}

func TestPlaceholders(t *testing.T) {
	const p0, p1 = `{"_placeholder":true,"num":0}`, `{"num":1,"x":[],"_\u0070laceholder":true}`
	for _, tt := range []struct {
		text string
		nums []int
		err  error
	}{
		{text: `[1,"_placeholder",{"num":7},{"_placeholder":false,"num":9},{"_placeholder":"true"}]`},
		{text: p0, nums: []int{0}},
		{text: `[` + p1 + `,{"a":` + p0 + `}]`, nums: []int{1, 0}},
		{text: `{"_placeholder":true,"num":1,"inner":` + p0 + `}`, nums: []int{1}},
		{text: `{"_placeholder":true,"num":5,"num":1}`, nums: []int{1}},
		{text: `{"_placeholder":true,"_placeholder":0,"num":5}`},
		{text: `[` + p0 + `,` + p0 + `]`, err: ErrNamedTwice},
		{text: `[` + p0 + `,{"_placeholder":true,"num":0.0}]`, err: ErrNamedTwice},
		{text: `{"_placeholder":true,"num":0,"inner":` + p0 + `}`, err: ErrNamedTwice},
		{text: `{"_placeholder":true}`, err: ErrPlaceholder},
		{text: `{"_placeholder":true,"num":2}`, err: ErrPlaceholder},
		{text: `{"_placeholder":true,"num":-1}`, err: ErrPlaceholder},
		{text: `{"_placeholder":true,"num":0.5}`, err: ErrPlaceholder},
		{text: `{"_placeholder":true,"num":"0"}`, err: ErrPlaceholder},
		{text: `{"_placeholder":true,"num":1e999}`, err: ErrPlaceholder},
	} {
		found, err := Placeholders(nil, []byte(tt.text), 2)
		if !errors.Is(err, tt.err) {
			t.Errorf("%s: %v, want %v", tt.text, err, tt.err)
		}
		if err != nil {
			continue
		}
		if len(found) != len(tt.nums) {
			t.Errorf("%s: %v, want %v", tt.text, found, tt.nums)
			continue
		}
		for i, p := range found {
			if p.Num != tt.nums[i] || !json.Valid([]byte(tt.text[p.Start:p.End])) {
				t.Errorf("%s: %+v, want %v", tt.text, found, tt.nums)
			}
		}
	}
	if _, err := Placeholders(nil, []byte(`{"_placeholder":true,"num":255}`), 1000); !errors.Is(err, ErrPlaceholder) {
		t.Errorf("more than MaxAttachments: %v", err)
	}
}

// Only the list of placeholders is allocated.
func TestAllocations(t *testing.T) {
	text := []byte(`["x",` + strings.Repeat(`{"a":[1,2,{"b":"\u00e9"}]},`, 1000) + `0]`)
	if n := testing.AllocsPerRun(10, func() {
		if whole(text) != nil || Elements(text, func(int, int) error { return nil }) != nil {
			t.Fatal("not valid")
		}
		if _, err := Placeholders(nil, text, 10); err != nil {
			t.Fatal(err)
		}
	}); n > 1 {
		t.Errorf("%v allocations", n)
	}
}

// The scanner says what encoding/json says, of every text and its truncations.
func FuzzValue(f *testing.F) {
	for _, s := range []string{`{"a":[1,-0.5e+7,"\u00e9\n",null,true,false,{}]}`, `[[],{}]`, ` 1 `, `01`, `"`, `{"a"}`, "[1,]", `[{"_placeholder":true,"num":0}]`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for n := range min(len(b), 64) {
			compare(t, b[:n])
		}
		compare(t, b)
	})
}

func compare(t *testing.T, b []byte) {
	err := whole(b)
	if valid := json.Valid(b); valid != (err == nil) && !errors.Is(err, ErrDepth) {
		t.Fatalf("%q: valid %v, scanner says %v", b, valid, err)
	}
	if err != nil {
		return
	}
	if found, err := Placeholders(nil, b, 8); err == nil && len(found) > 8 {
		t.Fatalf("%q: %d placeholders", b, len(found))
	}
	var list []json.RawMessage
	var mine [][]byte
	err = Elements(b, func(start, end int) error { mine = append(mine, b[start:end]); return nil })
	if array := b[SkipSpace(b, 0)] == '['; array != (err == nil) {
		t.Fatalf("%q: Elements says %v", b, err)
	}
	if err != nil || json.Unmarshal(b, &list) != nil {
		return
	}
	if len(list) != len(mine) {
		t.Fatalf("%q: %d elements, want %d", b, len(mine), len(list))
	}
	for i := range list {
		if !bytes.Equal(list[i], mine[i]) {
			t.Fatalf("%q: element %d is %q, want %q", b, i, mine[i], list[i])
		}
	}
}

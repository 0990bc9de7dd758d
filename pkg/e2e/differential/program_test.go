package differential

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"
)

// A program is what one client sends.
type program struct {
	seed     uint64
	protocol int
	polling  bool
	steps    [][]packet // each is sent at once: on polling in one request
}

// A packet is one of Engine.IO: text with its type digit, or an attachment.
type packet struct {
	text   string
	binary []byte // not nil: an attachment
}

func (p packet) String() string {
	if p.binary != nil {
		return fmt.Sprintf("binary %q", p.binary)
	}
	return fmt.Sprintf("%.200q", p.text)
}

func (p program) String() string {
	transport := "websocket"
	if p.polling {
		transport = "polling"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d: protocol %d, %s\n", p.seed, p.protocol, transport)
	for i, step := range p.steps {
		for _, packet := range step {
			fmt.Fprintf(&b, "  %d ─► %s\n", i, packet)
		}
	}
	return b.String()
}

// generator makes packets. The same seed makes the same program.
type generator struct {
	*rand.Rand
	protocol int
}

func newProgram(seed uint64) program {
	g := generator{Rand: rand.New(rand.NewPCG(seed, 11)), protocol: 3}
	if seed%2 == 0 {
		g.protocol = 4
	}
	p := program{seed: seed, protocol: g.protocol, polling: g.IntN(3) == 0}
	if g.IntN(8) > 0 { // most join first, as clients do
		p.steps = append(p.steps, []packet{{text: "40/chat,"}})
	}
	for range 1 + g.IntN(8) {
		p.steps = append(p.steps, g.step())
	}
	return p
}

func (g generator) step() []packet {
	switch n := g.IntN(100); {
	case n < 40:
		return g.event()
	case n < 55:
		return g.binaryEvent()
	case n < 65:
		return []packet{{text: "40" + g.namespace() + g.auth()}}
	case n < 70:
		return []packet{{text: "41" + g.namespace()}}
	case n < 76:
		return []packet{{text: "43" + g.namespace() + g.id() + g.arguments()}}
	case n < 82:
		return []packet{{text: g.damaged()}}
	case n < 86:
		return []packet{{text: pick(g, "0", "1", "3", "3x", "5", "6", "7", "8", "x", "2", "2probe", "9{}", " ", "4", "44", "44/chat,\"no\"", "4 2[]")}}
	case n < 89:
		return []packet{{binary: []byte(pick(g, "", "\x04abc", "stray", "\x00\xff"))}}
	}
	// Several at once are sound ones: what Node does with a packet depends on whether another that ends the session, or
	// leaves the namespace, was read in the same moment.
	return []packet{g.sound(), g.sound(), g.sound()}
}

func (g generator) sound() packet {
	return packet{text: fmt.Sprintf(`42/chat,["msgToServer",%s]`, g.json(3))}
}

func (g generator) event() []packet {
	arguments := g.arguments()
	if g.IntN(4) > 0 {
		arguments = fmt.Sprintf(`["msgToServer"%s]`, g.more())
	}
	return []packet{{text: "42" + g.namespace() + g.id() + arguments}}
}

// binaryEvent announces attachments and sends them, mostly the right number.
func (g generator) binaryEvent() []packet {
	announced, sent := 1+g.IntN(3), 0
	switch g.IntN(8) {
	case 0:
		announced = 0
	case 1:
		sent = 1 + g.IntN(announced) // more would be strays, which come alone
	}
	if sent == 0 {
		sent = announced
	}
	var placeholders []string
	for i := range announced {
		num := i
		if g.IntN(12) == 0 {
			num = g.IntN(5) - 1
		}
		placeholders = append(placeholders, fmt.Sprintf(`{"_placeholder":true,"num":%d}`, num))
	}
	kind := pick(g, "5", "5", "5", "5", "6")
	body := `["msgToServer",` + strings.Join(placeholders, ",") + `]`
	if g.IntN(4) == 0 {
		body = fmt.Sprintf(`["msgToServer",{"name":"Ann","files":[%s]}]`, strings.Join(placeholders, ","))
	}
	if kind == "6" {
		body = "[" + strings.Join(placeholders, ",") + "]"
	}
	out := []packet{{text: fmt.Sprintf("4%s%d-%s%s%s", kind, announced, g.namespace(), g.id(), body)}}
	for i := range sent {
		out = append(out, packet{binary: fmt.Appendf(nil, "attachment %d \x00\xff", i)})
	}
	return out
}

func (g generator) namespace() string {
	if g.IntN(3) > 0 {
		return "/chat,"
	}
	return pick(g, "", "/,", "/chat", "/nope,", "/CHAT,", "/chat/,", "/chat?x=1,", "/chat?token=a b,", "chat,", "/ch,at,", "/ä,", "/constructor,", "/__proto__,")
}

func (g generator) auth() string {
	if g.IntN(2) == 0 {
		return ""
	}
	return pick(g, `{}`, `{"token":"x"}`, `[]`, `"text"`, `5`, `null`, `{`, `true`, `{"token":{"deep":[1,2,{"a":null}]}}`, `{"pid":"x","offset":"y"}`)
}

func (g generator) id() string {
	if g.IntN(3) > 0 {
		return ""
	}
	return pick(g, "0", "1", "12", "007", "9007199254740993", "123456789012345678901234567890", "-1", "1.5")
}

func (g generator) arguments() string {
	// Not ["error"]: it ends the process of socket.io 2.4.1.
	return pick(g,
		`["other",1]`, `["msgToClient",{"name":"admin","text":"join chat."}]`, `[]`, `{}`, `null`, `"msgToServer"`, `5`, ``, `[1,2]`, `[null]`, `[{}]`,
		`["connect"]`, `["disconnect"]`, `["disconnecting","x"]`, `["connect_error"]`, `["newListener",1]`, `["removeListener"]`, `["ping"]`, `["message","x"]`,
		`["toString"]`, `["__proto__",1]`, `[["msgToServer"],1]`, `["msgToServer"]`, "[\"msgToServer\",1]\n", ` ["msgToServer",1]`, `["msgToServer",1] `)
}

// more are the arguments behind an event's name.
func (g generator) more() string {
	var b strings.Builder
	for range pick(g, 0, 1, 1, 1, 1, 1, 2, 3) {
		b.WriteString("," + g.json(3))
	}
	return b.String()
}

// json is a value as JSON.stringify writes it.
func (g generator) json(depth int) string {
	n := g.IntN(12)
	if depth == 0 {
		n = g.IntN(8)
	}
	switch n {
	case 0:
		return pick(g, "0", "-1", "17", "1.5", "1e+30", "9007199254740991", "-0.001", "123456.789")
	case 1:
		return pick(g, "true", "false", "null")
	case 2:
		return pick(g, `""`, `"a"`, `"\n\t\\\""`, `"\u0000\u001f"`, `"\u2028"`, `"<script>&amp;"`, `"42/chat,[]"`, `"\ud800"`)
	case 3:
		return pick(g, `"äöü"`, `"안녕하세요"`, `"😀 👩‍👩‍👧"`, "\"\u2028\"", "\"\u007f\u0080\ufffd\"", `"日本"`)
	case 4:
		return `"` + strings.Repeat(pick(g, "x", "é", "漢"), 1+g.IntN(400)) + `"`
	case 5:
		return `{"name":"Ann","text":"hello"}`
	case 6:
		return pick(g, `{"_placeholder":true,"num":0}`, `{"_placeholder":false}`, `{"_placeholder":true}`, `{"_placeholder":1,"num":0}`)
	case 7:
		return pick(g, `{}`, `[]`, `[[]]`, `{"":""}`, `{"__proto__":1}`, `{"toJSON":1}`, `{"length":5}`)
	case 8, 9:
		var parts []string
		for range g.IntN(4) {
			parts = append(parts, g.json(depth-1))
		}
		return "[" + strings.Join(parts, ",") + "]"
	}
	var parts []string
	for i := range g.IntN(4) {
		parts = append(parts, fmt.Sprintf(`"%c%d":%s`, 'a'+rune(g.IntN(26)), i, g.json(depth-1)))
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// damaged is a good packet with something cut out, doubled or exchanged.
func (g generator) damaged() string {
	good := []byte(g.event()[0].text)
	if g.IntN(3) == 0 {
		good = []byte(g.binaryEvent()[0].text)
	}
	for range 1 + g.IntN(2) {
		at := 1 + g.IntN(len(good)-1) // the engine's type stays: others are tried above
		switch g.IntN(3) {
		case 0:
			good = append(good[:at:at], good[min(at+1+g.IntN(3), len(good)):]...)
		case 1:
			good = append(good[:at:at], append([]byte(pick(g, ",", "[", "]", "\"", "0", "-", "/", "{", "}", " ", "9", "é")), good[at:]...)...)
		case 2:
			good = good[:at]
		}
		if len(good) < 2 {
			break
		}
	}
	return strings.ToValidUTF8(string(good), "?")
}

func pick[T any](g generator, choices ...T) T { return choices[g.IntN(len(choices))] }

// payload is packets as the body of a POST.
func payload(protocol int, packets []packet) string {
	var parts []string
	for _, p := range packets {
		text := p.text
		if p.binary != nil {
			text = "b" + base64.StdEncoding.EncodeToString(p.binary)
			if protocol == 3 {
				text = "b4" + base64.StdEncoding.EncodeToString(p.binary)
			}
		}
		if protocol == 3 {
			text = fmt.Sprintf("%d:%s", units(text), text)
		}
		parts = append(parts, text)
	}
	if protocol == 3 {
		return strings.Join(parts, "")
	}
	return strings.Join(parts, "\x1e")
}

// units is a length as JavaScript has it.
func units(text string) int {
	n := 0
	for _, r := range text {
		n++
		if r >= 0x10000 {
			n++
		}
	}
	return n
}

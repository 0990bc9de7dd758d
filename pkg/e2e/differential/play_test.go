package differential

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// play lets a program talk to a server and tells what it and a witness have heard.
func play(ctx context.Context, server string, p program) ([]string, error) {
	witness, err := join(ctx, server, p.protocol)
	if err != nil {
		return nil, fmt.Errorf("the witness: %w", err)
	}
	defer witness.close()
	client, err := open(ctx, server, p.protocol, p.polling)
	if err != nil {
		return nil, err
	}
	defer client.close()
	transcript := mark("hello: ", client.untilQuiet(nil))
	for i, step := range p.steps {
		if client.ended {
			break
		}
		transcript = append(transcript, mark(fmt.Sprintf("%d: ", i), client.untilQuiet(step))...)
		transcript = append(transcript, mark(fmt.Sprintf("%d, witness: ", i), witness.untilQuiet(nil))...)
	}
	if witness.ended {
		return transcript, errors.New("the witness was cut off")
	}
	return transcript, nil
}

func mark(with string, lines []string) []string {
	for i := range lines {
		lines[i] = with + lines[i]
	}
	return lines
}

// A peer is one session.
type peer struct {
	carrier
	protocol int
	barriers int
	ended    bool
}

func open(ctx context.Context, server string, protocol int, polling bool) (*peer, error) {
	c, err := dial(ctx, server, protocol, polling)
	if err != nil {
		return nil, err
	}
	return &peer{carrier: c, protocol: protocol}, nil
}

// join opens a session that is in /chat.
func join(ctx context.Context, server string, protocol int) (*peer, error) {
	p, err := open(ctx, server, protocol, false)
	if err != nil {
		return nil, err
	}
	if heard := p.untilQuiet([]packet{{text: "40/chat,"}}); p.ended {
		p.close()
		return nil, fmt.Errorf("cannot join: %q", heard)
	}
	return p, nil
}

// joinBarriers is how many answers a join may take: ours asks all that have a say first, and meanwhile goes on.
const joinBarriers = 500

// untilQuiet sends packets and returns all that they have caused. What a packet causes may come a little after the
// answer to the next one, if both arrive at once: hence two barriers, the second sent when the first is answered.
func (p *peer) untilQuiet(packets []packet) []string {
	var heard []string
	if len(packets) > 0 {
		heard = p.sent(packets, heard)
	}
	for n := 0; !p.ended && (n < 2 || n < joinBarriers && !answered(packets, heard)); n++ {
		p.barriers++
		name := fmt.Sprintf("/barrier-%d", p.barriers)
		heard = p.sent([]packet{{text: "40" + name + ","}}, heard)
		heard = p.until("44"+name+",", heard)
	}
	return heard
}

// answered says whether the join among the packets was, and announced in /chat.
func answered(packets []packet, heard []string) bool {
	for _, sent := range packets {
		said := func(what ...string) bool {
			return slices.ContainsFunc(heard, func(line string) bool {
				return slices.ContainsFunc(what, func(w string) bool { return strings.Contains(line, w) })
			})
		}
		switch {
		case strings.HasPrefix(sent.text, "40/chat") && !said("44/chat", "join chat."):
			return false
		case isMain.MatchString(sent.text) && !said("40", "44"):
			return false
		}
	}
	return true
}

// isMain matches joins of the main namespace.
var isMain = regexp.MustCompile(`^40($|/,|[^/])`)

// sent sends, and says so if that is refused.
func (p *peer) sent(packets []packet, heard []string) []string {
	err := p.send(packets)
	if errors.Is(err, errStatus) && !strings.Contains(err.Error(), "Session ID unknown") { // the end was told already
		heard = append(heard, "POST "+err.Error())
	}
	return heard // other errors show in how the session ends
}

func (p *peer) until(prefix string, heard []string) []string {
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	for {
		select {
		case line, ok := <-p.heard():
			if !ok || strings.HasPrefix(line, ending) {
				p.ended = true
				return append(heard, strings.TrimSpace(line))
			}
			if strings.HasPrefix(line, prefix) {
				return heard
			}
			if line != "6" && (line != "2" || p.protocol == 3) { // a poll's release; protocol 4: the server's heartbeat
				heard = append(heard, normal(line))
			}
		case <-timeout.C:
			p.ended = true
			return append(heard, "(no answer)")
		}
	}
}

var (
	sids = regexp.MustCompile(`"sid":"[^"]*"`)
	head = regexp.MustCompile(`^[0-9-]*(/[^,\[{]*,?)?[0-9]*`)
)

// goesOn says whether ours is theirs up to where they end the session, and goes on there.
func goesOn(ours, theirs []string) bool {
	end := slices.IndexFunc(theirs, func(line string) bool { return strings.Contains(line, ending) })
	if end < 0 {
		return false
	}
	// What belongs to the end: a refused POST, the close packet.
	for end > 0 && (strings.HasSuffix(theirs[end-1], ": 1") || strings.Contains(theirs[end-1], ": POST ")) {
		end--
	}
	return len(ours) >= end && slices.Equal(ours[:end], theirs[:end])
}

// normal is a packet without what is free to differ: session ids, and the spelling of JSON.
func normal(packet string) string {
	packet = sids.ReplaceAllString(packet, `"sid":"*"`)
	packet = strings.Replace(packet, `,"maxPayload":1000000`, "", 1) // socket.io 2.4.1 does not tell, 4.8.4 does
	start := len(head.FindString(packet))
	var v any
	if json.Unmarshal([]byte(packet[start:]), &v) != nil {
		return packet
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(v) != nil {
		return packet
	}
	return packet[:start] + strings.TrimSpace(b.String())
}

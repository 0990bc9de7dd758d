package differential

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// A reason tells why our answers may differ from Node's, and when.
type reason struct {
	why     string
	applies func(p program, got map[string][]string) bool
}

var reasons = []reason{
	{
		why: "what comes for a namespace after the client has left it is ignored; socket.io 4.8.4 ends the whole connection, with the client's other namespaces",
		applies: func(p program, got map[string][]string) bool {
			return p.protocol == 4 && p.has(leave) && goesOn(got[ours], got[node4])
		},
	},
	{
		why: "a message that names one attachment twice ends the connection: a small message would become a large one for everybody",
		applies: func(p program, got map[string][]string) bool {
			return p.has(twice) && slices.ContainsFunc([]string{node2, node4}, func(s string) bool { return goesOn(got[s], got[ours]) })
		},
	},
	{
		why: "an event of protocol 3 for /chat?query is one for /chat; socket.io 2.4.1 ignores it, and clients never send it",
		applies: func(p program, got map[string][]string) bool {
			step := parts(got[ours], got[node2])
			return p.protocol == 3 && step >= 0 && slices.ContainsFunc(p.steps[step], func(packet packet) bool { return query(packet.text) })
		},
	},
	{
		why: "the engine's close packet on a WebSocket ends the session, as on polling; Node's servers ignore it there",
		applies: func(p program, got map[string][]string) bool {
			return !p.polling && p.has(closes) && (goesOn(got[node4], got[ours]) || goesOn(got[node2], got[ours]))
		},
	},
	{
		why: "digits with a space between them are no acknowledgement id; Node takes them for one that is NaN",
		applies: func(p program, got map[string][]string) bool {
			return p.has(spacedID.MatchString) && (goesOn(got[node4], got[ours]) || goesOn(got[node2], got[ours]))
		},
	},
}

var spacedID = regexp.MustCompile(`^4[2356][0-9-]*(/[^,]*,)?[0-9]* [0-9 ]*[0-9]`)

// What reasons look for in a program.
func closes(text string) bool { return text == "1" }
func leave(text string) bool  { return strings.HasPrefix(text, "41") }
func query(text string) bool {
	return !strings.HasPrefix(text, "40") && strings.HasPrefix(text, "4") && strings.Contains(text, "/chat?")
}
func twice(text string) bool {
	seen := map[string]bool{}
	for _, num := range nums.FindAllString(text, -1) {
		if seen[num] {
			return true
		}
		seen[num] = true
	}
	return false
}

var nums = regexp.MustCompile(`"num":-?[0-9]+`)

func (p program) has(what func(text string) bool) bool {
	return slices.ContainsFunc(p.steps, func(step []packet) bool {
		return slices.ContainsFunc(step, func(packet packet) bool { return what(packet.text) })
	})
}

// explain is why the answers to a program differ, "" if there is no good reason.
func explain(p program, got map[string][]string) string {
	for _, r := range reasons {
		if r.applies(p, got) {
			return r.why
		}
	}
	return ""
}

// parts is the step in which ours and theirs part, -1 if that is before the first.
func parts(ours, theirs []string) int {
	same := 0
	for same < len(ours) && same < len(theirs) && ours[same] == theirs[same] {
		same++
	}
	step := -1
	for _, rest := range [][]string{ours[same:], theirs[same:]} {
		if len(rest) == 0 {
			continue
		}
		var n int
		if _, err := fmt.Sscanf(rest[0], "%d", &n); err == nil && (step < 0 || n < step) {
			step = n
		}
	}
	return step
}

// alone is a program with one step of p, in /chat.
func (p program) alone(step int) program {
	p.steps = [][]packet{{{text: "40/chat,"}}, p.steps[step]}
	return p
}

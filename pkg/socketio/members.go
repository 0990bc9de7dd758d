package socketio

import (
	"iter"

	"socketio-chat/pkg/jsonscan"
)

// A Member is one member of a JSON object.
type Member struct {
	Name  string // decoded: that of "n\u0061me" is name
	Value []byte // JSON, as it stands in the object
	Start int    // of Value, in the Payload's JSON
}

// Members goes through the members of an object in the order in which they stand there; a name may
// come more than once, and receivers take the last. It reports false, with nothing to go through,
// for a value that is no object, or stands for an attachment.
func (p Payload) Members() (iter.Seq[Member], bool) {
	b := p.json()
	if i := jsonscan.SkipSpace(b, 0); i == len(b) || b[i] != '{' {
		return func(func(Member) bool) {}, false
	}
	if len(p.Attachments) > 0 {
		for m := range members(b) {
			if m.Name == "_placeholder" {
				return func(func(Member) bool) {}, false
			}
		}
	}
	return members(b), true
}

// members goes through an object that has been found to be valid; should it not be, it ends early.
func members(b []byte) iter.Seq[Member] {
	return func(yield func(Member) bool) {
		i := jsonscan.SkipSpace(b, 0) + 1 // behind the brace
		for {
			start := jsonscan.SkipSpace(b, i)
			if start >= len(b) || b[start] != '"' {
				return // the end
			}
			nameEnd, next, err := jsonscan.Key(b, start)
			if err != nil {
				return
			}
			at := jsonscan.SkipSpace(b, next)
			end, err := jsonscan.Value(b, at)
			if err != nil {
				return
			}
			if !yield(Member{memberName(b[start:nameEnd]), b[at:end:end], at}) {
				return
			}
			if i = jsonscan.SkipSpace(b, end); i >= len(b) || b[i] != ',' {
				return
			}
			i++
		}
	}
}

// memberName decodes a name, given with its quotes.
func memberName(quoted []byte) string {
	if name, plain := jsonscan.Plain(quoted); plain {
		return string(name)
	}
	return jsonscan.Unquote(quoted)
}

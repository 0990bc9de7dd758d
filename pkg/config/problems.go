package config

import (
	"errors"
	"fmt"
	"strings"
)

// Error is everything that is wrong with the configuration, in the table's order.
type Error struct {
	Problems []Problem
	Hints    []string // sentences about names that are probably misspelt
}

// Problem is one thing to put right.
type Problem struct {
	Name    string // the variable; the file for a problem with that; names joined by "and" for a rule
	Value   string // as given, quoted and shortened; empty when the problem is no single value
	Message string // what is accepted, or what to do
}

// Error lists the problems, one a line.
func (e *Error) Error() string {
	var b strings.Builder
	if len(e.Problems) == 1 {
		b.WriteString("the configuration has a problem (--help NAME explains a variable):")
	} else {
		fmt.Fprintf(&b, "the configuration has %d problems (--help NAME explains a variable):", len(e.Problems))
	}
	for _, p := range e.Problems {
		b.WriteString("\n  " + p.String())
	}
	for _, hint := range e.Hints {
		b.WriteString("\n  " + hint)
	}
	return b.String()
}

// String is the problem on one line.
func (p Problem) String() string {
	if p.Value == "" {
		return p.Name + ": " + p.Message
	}
	return p.Name + "=" + p.Value + ": " + p.Message
}

// hidden stands for the value of a secret variable.
const hidden = "(hidden)"

// refused makes the problem of a value that its kind did not take.
func (v variable) refused(value, source string, hint error) Problem {
	p := Problem{Name: v.name, Value: quoted(value), Message: "must be " + v.kind.accepts}
	switch {
	case v.kind.secret && !isSafe(hint):
		// A hint may repeat the value.
	case !errors.Is(hint, errPlain):
		p.Message += " (" + hint.Error() + ")"
	}
	if v.kind.secret {
		p.Value = hidden
	}
	if source != fromEnvironment {
		p.Message += ", in " + source
	}
	return p
}

// quoted keeps control characters and endless values out of messages.
func quoted(value string) string { return fmt.Sprintf("%q", shortened(value)) }

func shortened(value string) string {
	const most = 80 // runes
	if runes := []rune(value); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return value
}

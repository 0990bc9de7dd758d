package config

import (
	"fmt"
	"io"
	"strings"
)

// helpWidth is the number of characters that a line of Usage and Explain has at most.
const helpWidth = 100

// Usage writes every variable with its default and its meaning, for a terminal.
func Usage(w io.Writer) error {
	var b strings.Builder
	for _, s := range table() {
		fmt.Fprintf(&b, "\n%s\n", s.title)
		for _, v := range s.rows {
			fmt.Fprintf(&b, "  %s\n", v.assignment())
			wrap(&b, "      ", v.meaning)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Explain writes all that is known about the variables whose names contain name, in any case. The error says that there is
// none.
func Explain(w io.Writer, name string) error {
	var b strings.Builder
	wanted := strings.ToUpper(strings.TrimSpace(name))
	for _, v := range variables() {
		if v.name == wanted {
			v.explain(&b)
		}
	}
	if b.Len() == 0 && wanted != "" {
		for _, v := range variables() {
			if strings.Contains(v.name, wanted) {
				v.explain(&b)
			}
		}
	}
	if b.Len() == 0 {
		hint := ""
		for _, v := range variables() {
			if near(wanted, v.name) {
				hint = "; did you mean " + v.name + "?"
			}
		}
		return fmt.Errorf("there is no variable %s%s", quoted(name), hint)
	}
	_, err := io.WriteString(w, strings.TrimPrefix(b.String(), "\n"))
	return err
}

// explain writes one variable with what it accepts.
func (v variable) explain(b *strings.Builder) {
	fmt.Fprintf(b, "\n%s\n", v.name)
	wrap(b, "  ", v.meaning)
	if v.def != "" {
		fmt.Fprintf(b, "  Default: %s\n", v.def)
	}
	wrap(b, "  ", "Must be "+v.kind.accepts+".")
}

// assignment is the variable with its default, as one would write it.
func (v variable) assignment() string {
	if v.def == "" {
		return v.name
	}
	return v.name + "=" + v.def
}

// wrap writes text in lines of at most helpWidth characters.
func wrap(b *strings.Builder, indent, text string) {
	line := indent
	for word := range strings.FieldsSeq(text) {
		if len([]rune(line))+1+len([]rune(word)) > helpWidth && line != indent {
			b.WriteString(line + "\n")
			line = indent
		}
		if line != indent {
			line += " "
		}
		line += word
	}
	b.WriteString(line + "\n")
}

// Markdown is the table for deploy/docs/settings.md. A test there keeps the two the same.
func Markdown() string {
	var b strings.Builder
	b.WriteString("| variable | default | meaning | must be |\n|---|---|---|---|\n")
	for _, s := range table() {
		fmt.Fprintf(&b, "| **%s** | | | |\n", s.title)
		for _, v := range s.rows {
			def := "–"
			if v.def != "" {
				def = "`" + v.def + "`"
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", v.name, def, cell(v.meaning), cell(v.kind.accepts))
		}
	}
	return b.String()
}

// cell keeps a text from ending its cell.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

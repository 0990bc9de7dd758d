package config

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Usage writes every variable with its default, its meaning and what it accepts, for a
// terminal.
func Usage(w io.Writer) error {
	for _, s := range table() {
		if _, err := fmt.Fprintf(w, "\n%s\n", s.title); err != nil {
			return err
		}
		tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		for _, v := range s.rows {
			fmt.Fprintf(tw, "  %s\t%s\t%s\n", v.name, v.defaultText(), v.meaning)
			fmt.Fprintf(tw, "  \t\taccepted: %s\n", v.kind.accepts)
		}
		if err := tw.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// Markdown is the table for deploy/docs/settings.md. A test there keeps the two the same.
func Markdown() string {
	var b strings.Builder
	b.WriteString("| variable | default | meaning | accepted |\n|---|---|---|---|\n")
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

// defaultText is the default for a terminal.
func (v variable) defaultText() string {
	if v.def == "" {
		return "-"
	}
	return v.def
}

// cell keeps a text from ending its cell.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

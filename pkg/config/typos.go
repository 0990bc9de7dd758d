package config

import (
	"fmt"
	"slices"
)

// misspelt returns a warning for each variable that is not ours but nearly so.
func misspelt(given map[string]setting) []string {
	ours := variables()
	var warnings []string
	for name, g := range given {
		if slices.ContainsFunc(ours, func(v variable) bool { return v.name == name }) {
			continue
		}
		for _, v := range ours {
			if near(name, v.name) {
				warnings = append(warnings, fmt.Sprintf("%s (%s) is not a variable of this server; did you mean %s?", name, g.source, v.name))
				break
			}
		}
	}
	slices.Sort(warnings) // map order is no order
	return warnings
}

// near tells whether a is b with a slip or two. Short names get one slip only: HOME and
// PORT are not misspellings of HOST.
func near(a, b string) bool {
	slips := 1
	if len(b) >= 8 {
		slips = 2
	}
	if len(a) < len(b)-slips || len(a) > len(b)+slips {
		return false
	}
	return distance(a, b) <= slips
}

// distance counts the insertions, deletions, replacements and swaps of neighbours that
// make a into b (optimal string alignment).
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d := min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, rows[i-2][j-2]+1)
			}
			rows[i][j] = d
		}
	}
	return rows[len(a)][len(b)]
}

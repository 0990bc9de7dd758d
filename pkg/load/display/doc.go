// Package display shows how a load run goes: a panel that is redrawn in place on a terminal, plain lines elsewhere,
// and the final summary.
//
// A Display is an Observer for package run; its methods are called by one goroutine. On a terminal a second goroutine
// draws, and ends in Close, which restores the terminal. Ctrl-C and q on the panel call the given cancel function.
package display

// Package report makes one HTML page of one or several load runs: figures in a table, and plots as inline SVG. The page
// needs no other file, no script and no network.
//
// Nothing is kept between calls; any number of goroutines may call.
package report

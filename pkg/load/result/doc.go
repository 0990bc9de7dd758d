// Package result is what a load run found out, in the form that is written as JSON, compared and plotted.
//
// Everything here is plain data without behaviour that needs care: a Run is filled by one goroutine and then only read.
package result

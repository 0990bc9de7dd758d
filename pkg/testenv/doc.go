// Package testenv finds what tests need beyond Go: programs, npm packages, and the chat server itself. Only tests import it.
//
// What is missing on somebody's machine skips the test that needs it. CI (the variable of that name is set) has everything, so
// there the test fails: otherwise a broken installation would look like success.
package testenv

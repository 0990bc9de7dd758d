// Package utf has the text conversions that protocol 3 needs beyond unicode/utf8:
// lengths in UTF-16 code units ([Len16], [Cut16]), the replacement characters that
// Node's decoder makes of invalid UTF-8, and text that old clients encode twice.
// All of them are pure functions on bytes.
package utf

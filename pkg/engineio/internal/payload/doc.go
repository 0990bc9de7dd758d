// Package payload encodes and decodes what one poll or one POST carries: a sequence of
// packets. It knows no connection: bytes go in and packets come out, or the reverse.
//
//	form             used for                              grammar
//	protocol 4       polls and POSTs                       packet { 0x1e packet }
//	protocol 3 text  polls and POSTs                       { length ":" packet }
//	protocol 3 binary application/octet-stream             { kind digits 0xff packet }
//	JSONP            a script, a form; around a text form  ___eio[j]("…")
//
// Decoders are as lenient as Node's parsers, since old clients rely on it, and bound
// what a payload costs: at most [MaxPackets] packets, no copies but of invalid UTF-8
// and base64. They return the packets before an offence together with the error.
// Encoders append to a slice and allocate nothing else.
package payload

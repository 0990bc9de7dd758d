// Package differential lets random clients talk to our server and to Node's, and compares every answer.
//
//	seed ──► program: what a client sends, packet by packet
//	            │
//	            ├──► ours                     ─► transcript ─┐
//	            ├──► socket.io 2.4.1 (EIO3)   ─► transcript ─┼─► the same? or different for a reason in reasons_test.go?
//	            └──► socket.io 4.8.4          ─► transcript ─┘
//
// A program has a protocol (3 or 4), a transport (polling or WebSocket) and some packets: joins, leaves, events,
// acknowledgements, binary events with the right or the wrong attachments, packets of the engine that a client must not
// send, and damaged ones. A second client, the witness, sits in /chat and must hear the same on every server. After each
// packet both ask for a namespace that does not exist: its refusal comes after everything that the packet has caused, so
// nothing waits for time to pass.
//
// # What differs, and why
//
// Differences that are meant are in reasons_test.go, with what a program must look like to have one. Programs leave out
// what Node itself does now in this way and now in that, or does not survive:
//
//   - several packets at once of which one ends the session or leaves the namespace: Node drops messages that stand
//     before it in the same read, we deliver them;
//   - more attachments than were announced, in the same read, for the same reason;
//   - the event "error" in protocol 3, which ends the process of socket.io 2.4.1.
//
// A difference is reported with its seed, the program and both transcripts. Programs of protocol 3 are right when they
// are answered as by one of Node's two servers: these differ from each other too.
//
//	go test ./pkg/e2e/differential                                   a few programs, from seed 1
//	task differential PROGRAMS=5000 SEED=1000                        many
//
// # Words
//
//	program     what one client sends, made from a seed
//	transcript  what it and the witness got, after normalising session ids and spelling of JSON
//	barrier     the join of a namespace that does not exist, with its refusal
//	witness     the client that only listens
package differential

// Package languages holds chatters in other languages than JavaScript, for the end-to-end tests in
// ../node/test/languages.test.mjs. Each is a program that joins /chat and talks to its test in lines of
// JSON:
//
//	standard input   a payload a line, to be emitted as msgToServer; its end says goodbye
//	standard output  {"connect":…}  {"disconnect":…}  {"heard":<the payload of a msgToClient>}
//
// Bytes are {"$bytes":"<base64>"} in both directions. The chatters:
//
//	python/   python-socketio as Debian has it, sync and asyncio
//	go/       github.com/zishang520/socket.io/clients/socket/v3, in a module of its own: its 20
//	          dependencies are not the server's
//
// The tests of this package write what clients in Java, C#, Rust, Swift and Dart write, according to their sources.
package languages

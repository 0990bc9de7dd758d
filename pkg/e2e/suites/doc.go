// Package suites has counterparts of the test suites that the Socket.IO project publishes: those of the protocols
// (Engine.IO 3 and 4, Socket.IO 5), of the Node server and of its JavaScript client. A change that breaks a behaviour which
// they pin breaks a test here.
//
//	titles.json            each title of those suites, and the test that stands for it or the reason why there is none
//	../node/suites/        tests with raw connections and with socket.io-client, on servers that the Go test starts
//	server_*_test.go       tests of the server's API, with clients in the same process
//
// The servers are small programs on packages engineio and socketio, without the chat.
package suites

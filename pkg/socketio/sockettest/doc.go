// Package sockettest tests what is built on package socketio, without a network: a [Client] is a Socket.IO client of protocol 5
// (socket.io-client 3.x and 4.x) that talks WebSocket to a server of the same process through a pipe.
//
//	io := socketio.NewServer(socketio.Options{})
//	socketio.Handle(io.Of("/game"), "move", move)
//
//	alice := sockettest.Connect(t, io, "/game")
//	alice.Call("move", Move{X: 1}).Decode(&answer)
//	alice.Expect("moved", &got)
//
// The real server runs behind it: what the test sees is what clients see, heartbeats and order included. Time-outs are generous
// ([Patience]) and decide only how soon a failure shows. A Client has one goroutine, which reads until the connection ends; the test's
// cleanup closes the connection and waits for it.
//
// A test calls the methods of one Client from one goroutine. Each fails the test (tb.Fatal) when the server does something else.
package sockettest

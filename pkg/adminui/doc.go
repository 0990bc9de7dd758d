// Package adminui lets the page of npm's @socket.io/admin-ui (0.5) look into a server, and act on it,
// as its instrument() does for servers of socket.io 4.8.
//
// # Use
//
//	io := socketio.NewServer(…)
//	… // namespaces, their middlewares
//	ui, err := adminui.Attach(io, adminui.Options{Username: "ops", PasswordHash: hash})
//	defer ui.Close()
//
// The page is not part of it. It is served from anywhere and connects to a namespace, "/admin":
//
//	page                                        server
//	CONNECT {username, password} or {sessionId} ──► bcrypt, or Options.Sessions
//	                                            ◄── session <id>               after a password
//	                                            ◄── config {supportedFeatures}
//	                                            ◄── all_sockets […]            development
//	                                            ◄── server_stats {…}           every 2 s, of every instance
//	                                            ◄── socket_connected, socket_updated, socket_disconnected,
//	                                                room_joined, room_left, event_received, event_sent
//	                                                                           development
//	emit, join, leave, _disconnect              ──► on all instances           unless ReadOnly
//
// What the server says is broadcast in the namespace, and commands are broadcasts of the library: with
// a cluster adapter the page sees and reaches all instances, Node's with instrument() too, by way of
// any of them. Transports and connection ids of sockets elsewhere come, as in Node, with Socket.Data, as
// its member "_admin": Data that is neither nil nor a map[string]any has to be a [Carrier].
//
// # What the page is not shown
//
// Of a handshake: its auth, headers and query parameters that are not known to be harmless, and the
// query in its URL. Of Socket.Data: members whose name sounds like a secret. Payloads of events are
// shown, in development mode only; that mode is for development.
//
// # Logging in
//
// A password is compared with the hash one at a time, also for unknown users: a few times per minute for an address, or a /64
// of IPv6, and twice per second in total. Attempts beyond that wait some seconds and are compared after the others, a bounded
// number of them: guessing gets slow, but the right password works, also from an address that somebody guesses from. A session
// lasts for a day, or until the user name or the password hash changes. Reconnections use it.
//
// # Concurrency
//
// Two goroutines, until Close: one that takes the statistics, and one that sends what listeners of the
// library have noted; nothing of the application waits for the page. What is noted is bounded: events
// beyond 4,096, or beyond 16 MB, are left out, others beyond 65,536 or 64 MB, with a warning in the log. The list for a page that
// has connected has a goroutine until it was sent and looked at again; Close waits.
//
// # Cost
//
// In production mode one small message in two seconds, which recovery keeps as any other, and 50 ns a connection for it. Nothing is added
// to events, broadcasts or connections. In development mode each event of each socket becomes one for
// every page.
package adminui

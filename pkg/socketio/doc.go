// Package socketio serves Socket.IO, protocols 4 and 5, with the library socket.io/v2 on top of our
// own transport, codec and adapter.
//
// # Use
//
//	io := socketio.NewServer(socketio.Options{})
//	chat := io.Of("/chat")
//	socketio.On(chat, "say", func(ctx context.Context, s *socket.Socket, in Message) error {
//		chat.Broadcast("said", in)
//		return nil
//	})
//	http.Handle("/socket.io/", io)
//
// A [Namespace] is the library's, with all its methods, and typed events beside them: [On],
// [Handle], [Namespace.OnConnect], [Namespace.OnDisconnect]. They are kept once for a namespace and
// cost a connection nothing. A [Payload] is JSON that is never decoded: what a handler takes as a
// Payload and broadcasts is, byte for byte, what the sender wrote.
//
// # How data flows
//
//	engineio.Conn ── message ──► conn.Receive: decoder ── Packet ──► link
//	                                                                  │ CONNECT: the library's Client
//	                                                                  │ EVENT: OnAny, Socket.Use, typed
//	                                                                  │        handlers, listeners
//	                                                                  │ ACK: the call that waits for it
//	                                                                  ▼
//	engineio.Batch ◄── frames, encoded once ── LocalAdapter ◄── Broadcast, Emit, To …
//	engineio.Conn  ◄── frames ── conn.Write ◄── encoder ◄── Socket.Emit, acknowledgements
//
// The library is bound through its own extension points: engine.BaseServer (engineServer),
// engine.Socket (conn), Parser, AdapterConstructor, and the exported event emitters of its
// namespaces and sockets. It makes sockets and namespaces, runs the middlewares of namespaces, and
// keeps acknowledgements. It never sees an EVENT or ACK packet.
//
// # Connection state recovery
//
// With [Options.Recovery] a client of socket.io 4.6 or later whose connection breaks comes back to its
// session: the same id and rooms, Socket.Data (as JSON, if it comes from another instance),
// Socket.Recovered, and every event that it missed, once, in order, before what comes live.
//
//	client                                     server
//	CONNECT                                ──► session: id, private id
//	                                       ◄── CONNECT {"sid":…,"pid":…}
//	                                       ◄── EVENT ["said",…,"<offset>"]   kept in the journal, too
//	(connection breaks)                        session parked; what is sent to its rooms goes on into the journal
//	CONNECT {"pid":…,"offset":"<latest>"}  ──► claim, here or on another instance
//	                                       ◄── CONNECT, same ids; what came after offset; then live
//
// Each namespace has a journal, in which its events stand in the order in which this instance sent
// them, and each session the times at which it was in which rooms: what is due to a client follows
// from both, also for rooms that it has left since. CONNECT, what was missed and the first live event
// are queued under one lock, so there is neither gap nor duplicate. A client that missed more
// than half of [engineio.Options].QueueBytes gets it part by part from the journal, as fast as it reads.
//
// The words of it:
//
//	private id   what a client shows to get its session back: the origin of the owner, and random characters
//	owner        the instance that gave a private id out
//	origin       the sender of a numbered event, eight characters: an instance as one namespace knows it
//	offset       the name of an event, its last argument: its origin and its number there
//	journal      what a namespace has sent, in its order; stay: a socket's time in a room, as places in it
//	prefix       what a session missed on another instance, before the journal of this one comes
//	foreign      an event without a number, of a server that is not ours
//	away         a session whose connection broke: leaving until the library is through with its socket, then parked
//	returning    a session whose client has come back, until its CONNECT is answered
//
// It is all or nothing: [Refusal] names the reasons for a new session instead. Like Node, the server
// does not keep volatile events and those that ask for acknowledgements, and forgets sessions that
// either side ended by a DISCONNECT. Unlike Node:
//
//   - A client that comes back before the server has noticed that it was gone is recovered; its old
//     connection is closed.
//   - One that had not got any event is recovered, too.
//   - CONNECT comes before what was missed; Node sends it after.
//   - Middlewares run for recovered sockets, unless [Recovery].SkipMiddlewares is set; ask Socket.Recovered
//     in those that need not.
//   - Clients of protocol 4 get what they ever got, byte for byte.
//
// The client takes any string that ends an event for an offset. An application whose volatile events,
// or those with acknowledgements, end in a string has clients refused (as "offset") that got one last.
//
// Adapters of clusters publish with [LocalAdapter.BroadcastPublished] and deliver with
// [LocalAdapter.BroadcastReceived]; [SessionPeers] finds sessions elsewhere, [SessionStore] keeps those
// of an instance that ends. [Server.RecoveryStats] counts.
//
// # Concurrency
//
// Everything a client sends is handled in order, on the goroutine that the engine receives on: the
// next packet waits until the handlers of this one have returned. That is the back-pressure, and it
// means that a handler must not wait for another packet, say an acknowledgement, of the same client;
// start a goroutine for that. Two things are different:
//
//   - A CONNECT is completed on a goroutine of the library. The "connection" listeners run there,
//     then what the client has sent for that namespace meanwhile. Other namespaces of the connection
//     go on. At most 1 MiB waits so; then the client's reader does.
//   - A middleware of Socket.Use may call next from wherever it likes. What follows runs there.
//
// "disconnecting" and "disconnect" are emitted once for each socket whose "connection" listeners
// ran, never before those have returned. If the application or another goroutine disconnects a
// socket while they run, its rooms are gone by the time "disconnecting" is emitted. When a connection
// ends, its sockets do in the order in which the client asked for them; when the application disconnects
// several at once, in no order.
//
// All methods are safe for concurrent use. Broadcasts are queued under a lock of the namespace's
// adapter, so that all receivers see the same order; nothing there waits for a client. A Server has
// no goroutine of its own; [Server.Close] waits for those of its connections.
//
// A panic in a listener, handler, middleware or acknowledgement is logged and ends that call only.
//
// # What of the library works, and what to use instead
//
// These work as documented there, each pinned by a test:
//
//	Server.Of with a name, a regular expression, or a function; Use; Emit, To, In, Except, Local,
//	Volatile, Compress (without effect: nothing is compressed), Timeout; FetchSockets, SocketsJoin,
//	SocketsLeave, DisconnectSockets, AllSockets; ServerSideEmit, with an adapter that has it;
//	Socket.On, Once, Use, OnAny, PrependAny, OffAny, OnAnyOutgoing; Emit, EmitWithAck, Timeout;
//	Join, Leave, Rooms, To, Broadcast, Disconnect; Handshake, Request, Data; Conn for reading.
//
// Different from the library as it comes:
//
//   - Listeners are called in the order of the client's packets, on one goroutine.
//   - Handshake().Headers and Query are those of the request that opened the connection, shared by all its
//     sockets: read only. The names of headers are in Go's canonical form, "X-Forwarded-For", where Node
//     has lower case; Host is not among them. Address is the address and port of the TCP peer, where Node
//     has the address alone: behind a proxy that is the proxy, and the client is in a header.
//   - Conn() emits "upgrade" and "close" and nothing else; Engine().Use has no effect: wrap ServeHTTP.
//   - A function given to Server.Of has to answer before it returns. It may take its time: only the client that
//     asks, and others that ask for the same name, wait for it.
//   - Server.Listen, Attach, ServeHandler and ServeClient are not for use: mount the Server.
//   - SetAdapter, SetParser and SetConnectTimeout are not for use: see [Options].
//   - BroadcastOperator.Emit with an acknowledgement calls back once, with one response for each
//     client that answered: the first argument of its acknowledgement, nil if it had none. A response
//     that comes at once is passed on some milliseconds later: the operator compares its counts without a
//     lock, and might call back twice. [CallAll] does the same with a context, without that wait, and
//     leaves answers raw if they are wanted as [Payload]. Prefer it.
//   - Handshake().Auth is empty once the listeners of "connection" have returned: it may be large, and a
//     secret. Keep what is needed in Socket.Data.
//
// Different from Node: see decoder for what is refused; a packet that was under way when the server
// disconnected the client from its namespace is ignored, where Node closes the whole connection; a
// DISCONNECT and a CONNECT may follow each other without a wait. A broadcast may reach a client behind the
// answer to its CONNECT and before what its own "connection" listeners emit: Node does both in one turn of its
// loop.
//
// # Limits
//
// What recovery keeps is bounded by [Recovery].Bytes, what is handed over for one client by 8 MiB.
// Nesting is bounded by 1,000, what waits for a namespace by 1 MiB, messages and queues by
// [engineio.Options]; [Limits] bounds attachments, messages a second, namespaces and rooms, [Gate]
// connections. A client that breaks the protocol is closed, with the
// reasons that socket.io 4.8 has: "forced close" for what cannot be decoded, "forced server close"
// for what makes no sense now. A connection that joins no namespace is closed after
// [Options.ConnectTimeout].
package socketio

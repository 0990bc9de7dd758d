package socketio

// Reasons why a socket disconnected, as OnDisconnect is told them. They are Node's.
const (
	ReasonClientDisconnect = "client namespace disconnect" // the client left: socket.disconnect()
	ReasonServerDisconnect = "server namespace disconnect" // the application disconnected it
	ReasonServerShutdown   = "server shutting down"        // the server closes or drains
	ReasonTransportClose   = "transport close"             // the connection ended; the client may come back
	ReasonTransportError   = "transport error"             // the connection broke; the client may come back
	ReasonSlowClient       = "slow client"                 // it reads more slowly than it is sent (Node has no such reason)
	ReasonPingTimeout      = "ping timeout"                // the client no longer answers
	ReasonParseError       = "parse error"                 // what it sent is no packet of Engine.IO
	ReasonForcedClose      = "forced close"                // the server closed the connection: what the client sent cannot be decoded
	ReasonForcedServer     = "forced server close"         // … or made no sense then: no CONNECT in time, a packet out of place
)

package engineio

// connState is where a connection is in its life. It only ever grows.
type connState uint8

const (
	stateOpen    connState = iota // sends and receives
	stateClosing                  // Close or Leave was called: the outbox drains, nothing is added
	stateClosed                   // over; Receiver.Closed has been or is about to be called
)

// A lifetime is where a connection is in its life, and how that ends:
//
//	      Close, Leave         all has left, or took too long
//	open ─────────────► closing ────────────────────────────► closed
//	  └──────────────────────────────────────────────────────────┘
//	    Discard; the client has gone, broke a rule, or is too slow
//
// Conn.mu guards it.
type lifetime struct {
	state   connState
	leaving bool // Leave was called first: the reason is ServerShutdown, whatever follows
	hears   bool // leaving, and what the client sent is received still
	lingers bool // leaving, and the close packet has been polled
	lost    bool // closed since the client has gone: nobody is left to be told
}

func (l *lifetime) open() bool    { return l.state == stateOpen }
func (l *lifetime) closing() bool { return l.state == stateClosing }
func (l *lifetime) over() bool    { return l.state == stateClosed }

// receives tells whether what the client sends is for the receiver still.
func (l *lifetime) receives() bool { return l.open() || l.closing() && l.hears }

// close begins an orderly end. It reports false if one has begun: then it only makes that
// receive nothing more, unless hears.
func (l *lifetime) close(leaving, hears bool) (wasOpen bool) {
	if !l.open() {
		l.hears = l.hears && hears
		return false
	}
	l.state, l.leaving, l.hears = stateClosing, leaving, hears
	return true
}

// end makes the connection closed. It returns the reason that is told, and false if it is
// closed already: the first reason stays.
func (l *lifetime) end(reason CloseReason) (_ CloseReason, first bool) {
	if l.over() {
		return reason, false
	}
	l.state = stateClosed
	if l.leaving { // however it went: it was sent away
		reason = ServerShutdown
	}
	l.lost = reason == TransportClose
	return reason, true
}

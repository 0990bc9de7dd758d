// Package recovery hands sessions over between instances: connection state recovery in a cluster. With it on (socketio.Options.Recovery), each broadcast
// carries its place in its sender's sequence, as "seq", where Node does not look:
//
//	classic   [uid, packet, {rooms, except, flags, seq}]
//	cluster   {type: BROADCAST, uid, nsp, data: {packet, opts, seq}}
//
// So any two instances can tell what one had delivered that the other has not, whatever the mode. A
// client that comes to B with a session of A:
//
//	client ── CONNECT {pid, offset} ──► B ── sessionRequest: pid, offset, what B keeps ──► A, which pid names
//	                                    B ◄── A: the session, what was missed (what B keeps, by id alone),
//	                                          and up to where A had the events of each instance
//	client ◄── CONNECT, what was missed, what A had not had, what comes live ── B
//
// A has ended its own copy when it answers. If it has handed the session over before, it tells to whom,
// and B asks there. The request goes to all of ours, with the origin of the one that has to answer; without
// one all answer, with how far they have published: so B asks who is there (see roster), and for ids that
// older instances gave out. Each tells whom it heard of a moment ago, too: one of those that does not answer, and
// has not ended in order, may have the session and come back. If none has it, the session may be in Redis: instances that end in order leave sessions
// and what is kept there (Store), and how far they had published (Leave): an instance that begins when they have ended
// can tell whether it has missed something. A session is removed from Redis last of all. Questions of sessions, and their
// answers, do not wait for what is queued: numbers tell what is still to come. Node's messages carry no number. On the classic format B receives its
// own request in the order of all messages: Node's messages before it come from A, those after it from B.
//
// An Exchange has no goroutine of its own; a session that is handed over is waited for on one of the hub.
package recovery

//go:build !race

package socketio

// How many there are in the tests of slow readers, and of heavy senders' shares.
const readersOnLines, sharers = 50, 20

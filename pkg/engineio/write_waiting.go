package engineio

import (
	"errors"
	"io"
	"os"
)

// A writeDeadline bounds how long a write waits for its peer.
type writeDeadline interface {
	// extend gives the peer time for the next piece, if it may have more. goesOn tells
	// whether a peer that has taken a part of a piece by then may have more time for the rest.
	extend() (goesOn bool)
}

// writeChunk is how many bytes make one piece: what is gathered for one system call, and
// what a slow peer has a time of its own for.
const writeChunk = 64 << 10

// writeWaiting writes all of data to a peer that may be slow, piece by piece, and returns
// how much that was. Everything that waits for a peer is written here.
func writeWaiting[D writeDeadline](to io.Writer, data []byte, deadline D) (written int, err error) {
	for written < len(data) {
		goesOn := deadline.extend()
		n, err := to.Write(data[written:min(len(data), written+writeChunk)])
		written += n
		if err != nil && !(goesOn && n > 0 && isTimeout(err)) {
			return written, err
		}
	}
	return written, nil
}

func isTimeout(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }

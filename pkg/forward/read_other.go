//go:build !unix

package forward

import "net"

// A patientReader holds its buffer while it waits.
type patientReader struct{ nc net.Conn }

func newPatientReader(nc net.Conn) patientReader { return patientReader{nc} }

// read returns what came, in a buffer of the pool that is the caller's to give
// back.
func (r patientReader) read() (buf *[]byte, n int, err error) {
	buf = buffers.Get().(*[]byte)
	n, err = r.nc.Read(*buf)
	return buf, n, err
}

// quiet would tell whether an idle connection is open; here nobody knows.
func quiet(net.Conn) bool { return true }

// awaitReadable would return when there is something to read; reading waits, too.
func awaitReadable(net.Conn) error { return nil }

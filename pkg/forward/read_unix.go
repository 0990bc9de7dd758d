//go:build unix

package forward

import (
	"io"
	"net"
	"syscall"
)

// A patientReader holds a buffer only while there is something to read.
type patientReader struct {
	nc  net.Conn
	raw syscall.RawConn // nil: nc is none of the system's
}

func newPatientReader(nc net.Conn) patientReader {
	r := patientReader{nc: nc}
	if s, ok := nc.(syscall.Conn); ok {
		r.raw, _ = s.SyscallConn() // nil on error
	}
	return r
}

// read returns what came, in a buffer of the pool that is the caller's to give
// back; nil if nothing came.
func (r patientReader) read() (buf *[]byte, n int, err error) {
	if r.raw == nil {
		buf = buffers.Get().(*[]byte)
		n, err = r.nc.Read(*buf)
		return buf, n, err
	}
	var rerr error
	err = r.raw.Read(func(fd uintptr) bool {
		buf = buffers.Get().(*[]byte)
		n, rerr = readNow(fd, *buf)
		if rerr == syscall.EAGAIN {
			buffers.Put(buf)
			buf, n, rerr = nil, 0, nil
			return false // and again when there is something
		}
		return true
	})
	switch {
	case err != nil:
		return buf, 0, err
	case rerr != nil:
		return buf, 0, rerr
	case n == 0:
		return buf, 0, io.EOF
	}
	return buf, n, nil
}

func readNow(fd uintptr, b []byte) (int, error) {
	for {
		n, err := syscall.Read(int(fd), b)
		if err != syscall.EINTR {
			return max(n, 0), err
		}
	}
}

// quiet tells whether an idle connection is open and has nothing to say.
func quiet(nc net.Conn) bool {
	open := true
	err := peek(nc, func(_ int, err error) bool {
		open = err == syscall.EAGAIN
		return true
	})
	return open && err == nil
}

// awaitReadable returns when nc has something to say, or has ended.
func awaitReadable(nc net.Conn) error {
	return peek(nc, func(_ int, err error) bool { return err != syscall.EAGAIN })
}

// peek calls ready with the result of a look at the next byte, again whenever
// there may be one, until it reports true.
func peek(nc net.Conn, ready func(n int, err error) bool) error {
	s, ok := nc.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return err
	}
	return raw.Read(func(fd uintptr) bool {
		var b [1]byte
		for {
			n, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK)
			if err != syscall.EINTR {
				return ready(n, err)
			}
		}
	})
}

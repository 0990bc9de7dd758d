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
		var again bool
		buf = buffers.Get().(*[]byte)
		n, again, rerr = readNow(fd, *buf)
		if again {
			buffers.Put(buf)
			buf = nil
		}
		return !again // otherwise it is called when there is something
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

// readNow reads once. again tells that nothing is there yet.
func readNow(fd uintptr, b []byte) (n int, again bool, err error) {
	for {
		n, err := syscall.Read(int(fd), b)
		switch err {
		case nil:
			return n, false, nil
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
			return 0, true, nil
		default:
			return 0, false, err
		}
	}
}

// quiet tells whether an idle connection is open and has nothing to say.
func quiet(nc net.Conn) bool {
	nothing := true // of a connection that is none of the system's nobody knows
	err := peek(nc, func(again bool) bool {
		nothing = again
		return true
	})
	return nothing && err == nil
}

// awaitReadable returns when nc has something to say, or has ended.
func awaitReadable(nc net.Conn) error {
	return peek(nc, func(again bool) bool { return !again })
}

// peek looks at the next byte without taking it and tells done whether there is
// nothing yet: neither a byte nor an end. It does so again whenever that may have
// changed, until done reports true.
func peek(nc net.Conn, done func(again bool) bool) error {
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
			_, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK)
			switch err {
			case syscall.EINTR:
				continue
			case syscall.EAGAIN:
				return done(true)
			default: // a byte, the end, or an error, which the next reading finds
				return done(false)
			}
		}
	})
}

// Package boundedfile reads small files that an operator names: settings, keys, certificates. Whatever is there, reading it
// takes bounded memory and time.
//
// Pipes are read as well, for shells' <(command) is one; a device without an end is refused by its size. It keeps no state
// and starts no goroutines.
package boundedfile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"
)

// patience is how long a pipe may take to come to its end.
const patience = 10 * time.Second

// A TooLargeError tells that a file has more than Most bytes.
type TooLargeError struct {
	Path string
	Most int64
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("%s has more than %d bytes", e.Path, e.Most)
}

// Read returns what is in the file with this path, at most most bytes: more are a [TooLargeError]. A pipe that nobody writes to is
// empty; one that does not end within 10 s is an error that matches os.ErrDeadlineExceeded.
func Read(path string, most int64) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // to open a pipe must not wait for its writer
	if err != nil {
		return nil, err //nolint:wrapcheck // it names the file
	}
	defer f.Close()
	if err := f.SetReadDeadline(time.Now().Add(patience)); err != nil && !errors.Is(err, os.ErrNoDeadline) { // files have none
		return nil, err //nolint:wrapcheck // it names the file
	}
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	switch {
	case err != nil:
		return nil, err //nolint:wrapcheck // it names the file
	case int64(len(text)) > most:
		return nil, &TooLargeError{path, most}
	}
	return text, nil
}

package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"

	"github.com/joho/godotenv"

	"socketio-chat/pkg/boundedfile"
)

// maxDotenv bounds the file, in bytes: nobody means a file larger than that.
const maxDotenv = 64 << 10

// readDotenv returns the variables of a .env file. A file that does not exist has none.
// The problem names a line, never its content: there may be secrets in it.
func readDotenv(name string) (map[string]string, *Problem) {
	if name == "" {
		return nil, nil
	}
	text, err := boundedfile.Read(name, maxDotenv)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case errors.As(err, new(*boundedfile.TooLargeError)):
		return nil, &Problem{Name: name, Message: fmt.Sprintf("is larger than %d KiB; remove it or put another file there", maxDotenv>>10)}
	case err != nil:
		return nil, &Problem{Name: name, Message: err.Error()}
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff")) // some editors put one there
	vars, err := parseDotenv(text)
	if err != nil {
		return nil, &Problem{Name: name, Message: fmt.Sprintf("line %d is not NAME=value", offendingLine(text))}
	}
	return vars, nil
}

// parseDotenv parses with godotenv, whose errors quote the rest of the file and must not
// get out.
func parseDotenv(text []byte) (map[string]string, error) {
	vars, err := godotenv.UnmarshalBytes(text)
	if err != nil {
		return nil, err
	}
	if _, ok := vars[""]; ok {
		return nil, errors.New("a line without a name")
	}
	return vars, nil
}

// offendingLine is the number of the first line, counted from 1, that does not begin a
// statement. A statement is one line, or several when a quoted value goes on; how many
// are tried is bounded, because trying is quadratic.
func offendingLine(text []byte) int {
	const longest = 50 // lines of one value
	lines := bytes.SplitAfter(text, []byte("\n"))
	for start := 0; start < len(lines); {
		length := 1
		for !parses(lines[start:min(start+length, len(lines))]) {
			if length++; length > longest || start+length > len(lines) {
				return start + 1
			}
		}
		start += length
	}
	return len(lines)
}

func parses(lines [][]byte) bool {
	_, err := parseDotenv(bytes.Join(lines, nil))
	return err == nil
}

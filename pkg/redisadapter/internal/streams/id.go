package streams

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// ID is the id of an entry, which Redis makes: milliseconds and a number within them. Ids of
// one stream only grow, but a stream that is made anew may begin below where the old one ended.
type ID struct{ Ms, n uint64 }

var errStreamID = errors.New("no stream id")

// ParseID reads "1700000000000-0".
func ParseID(text string) (id ID, err error) {
	ms, n, ok := strings.Cut(text, "-")
	if !ok {
		return id, errStreamID
	}
	if id.Ms, err = strconv.ParseUint(ms, 10, 64); err == nil {
		id.n, err = strconv.ParseUint(n, 10, 64)
	}
	if err != nil {
		return ID{}, fmt.Errorf("%w: %w", errStreamID, err)
	}
	return id, nil
}

func (id ID) String() string {
	return strconv.FormatUint(id.Ms, 10) + "-" + strconv.FormatUint(id.n, 10)
}

func (id ID) Compare(other ID) int {
	return cmp.Or(cmp.Compare(id.Ms, other.Ms), cmp.Compare(id.n, other.n))
}

// Next is the smallest id above id.
func (id ID) Next() ID {
	if id.n == math.MaxUint64 {
		return ID{id.Ms + 1, 0}
	}
	return ID{id.Ms, id.n + 1}
}

package redisadapter

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// streamID is the id of an entry, which Redis makes: milliseconds and a number within them. Ids of
// one stream only grow, but a stream that is made anew may begin below where the old one ended.
type streamID struct{ ms, n uint64 }

var errStreamID = errors.New("no stream id")

// parseStreamID reads "1700000000000-0".
func parseStreamID(text string) (id streamID, err error) {
	ms, n, ok := strings.Cut(text, "-")
	if !ok {
		return id, errStreamID
	}
	if id.ms, err = strconv.ParseUint(ms, 10, 64); err == nil {
		id.n, err = strconv.ParseUint(n, 10, 64)
	}
	if err != nil {
		return streamID{}, fmt.Errorf("%w: %w", errStreamID, err)
	}
	return id, nil
}

func (id streamID) String() string {
	return strconv.FormatUint(id.ms, 10) + "-" + strconv.FormatUint(id.n, 10)
}

func (id streamID) compare(other streamID) int {
	return cmp.Or(cmp.Compare(id.ms, other.ms), cmp.Compare(id.n, other.n))
}

// next is the smallest id above id.
func (id streamID) next() streamID {
	if id.n == math.MaxUint64 {
		return streamID{id.ms + 1, 0}
	}
	return streamID{id.ms, id.n + 1}
}

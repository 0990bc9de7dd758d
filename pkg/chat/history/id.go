package history

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// An ID is the place of a message in its room.
type ID struct {
	Ms  uint64 // when it was kept, Unix milliseconds
	Seq uint64 // among those of the same millisecond
}

// ErrID tells that a text is no id.
var ErrID = errors.New("history: not the id of a message")

// String writes the id with a fixed width: "1764367200000-00000000".
func (i ID) String() string { return fmt.Sprintf("%013d-%08d", i.Ms, i.Seq) }

// Compare is negative if i stands before j.
func (i ID) Compare(j ID) int { return cmp.Or(cmp.Compare(i.Ms, j.Ms), cmp.Compare(i.Seq, j.Seq)) }

// IsZero tells whether i is no id at all.
func (i ID) IsZero() bool { return i == ID{} }

// at is the first id of a time.
func at(t time.Time) ID { return ID{Ms: uint64(max(t.UnixMilli(), 0))} }

// next is the id of what is kept at a time after i, also when the clock was put back.
func (i ID) next(now time.Time) ID {
	if id := at(now); id.Ms > i.Ms {
		return id
	}
	return ID{i.Ms, i.Seq + 1}
}

// ParseID reads what String writes, and what Redis does. The error is ErrID.
func ParseID(s string) (ID, error) {
	left, right, ok := strings.Cut(s, "-")
	ms, err1 := strconv.ParseUint(left, 10, 64)
	seq, err2 := strconv.ParseUint(right, 10, 64)
	if !ok || err1 != nil || err2 != nil || len(s) > 41 {
		return ID{}, ErrID
	}
	return ID{ms, seq}, nil
}

package hub

import (
	"errors"
	"strings"

	"github.com/redis/go-redis/v9"
)

// verdict is what a refusal means.
type verdict int

const (
	forGood   verdict = iota // this message will never be taken
	forNow                   // nothing is taken at the moment
	elsewhere                // nothing is taken by this server, or from us
	withOther                // because another command of the transaction was refused
)

// judge sorts the errors of Redis by their first word.
func judge(err error) verdict {
	word, _, _ := strings.Cut(cause(err), " ")
	switch word {
	case "OOM", "LOADING", "CLUSTERDOWN", "TRYAGAIN", "MISCONF", "NOREPLICAS", "BUSY":
		return forNow
	case "MOVED", "ASK", "READONLY", "MASTERDOWN", "NOAUTH", "NOPERM", "WRONGTYPE", "UNBLOCKED":
		return elsewhere
	case "EXECABORT":
		return withOther
	}
	return forGood
}

// cause is what Redis said of the command that was refused, also if that ended a transaction.
func cause(err error) string {
	return strings.TrimPrefix(reason(err), "EXECABORT Transaction discarded because of: ")
}

// reason is what Redis itself has said.
func reason(err error) string {
	var reply redis.Error
	if errors.As(err, &reply) {
		return reply.Error()
	}
	return ""
}

// answered tells whether a command has its answer: one that came before the connection broke.
func answered(cmd redis.Cmder) bool {
	switch c := cmd.(type) {
	case *redis.IntCmd:
		return c.Val() > 0
	case *redis.StringCmd:
		return c.Val() != ""
	}
	return false
}

// refused tells an answer of Redis from a broken connection.
func refused(err error) bool {
	var reply redis.Error
	return errors.As(err, &reply)
}

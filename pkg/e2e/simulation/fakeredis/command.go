package fakeredis

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// command runs a command, with the server locked, and returns its answer; nil: it has answered.
func (c *session) command(name string, args [][]byte) []byte {
	cmd, ok := commands[name]
	switch {
	case !ok:
		return failure(fmt.Sprintf("ERR unknown command '%s'", name))
	case len(args) < cmd.least:
		return failure(fmt.Sprintf("ERR wrong number of arguments for '%s' command", strings.ToLower(name)))
	}
	return cmd.run(c, args)
}

// commands are those there are.
var commands = map[string]struct {
	least int // arguments
	run   func(c *session, args [][]byte) []byte
}{
	"CLIENT": {1, ok}, "SELECT": {1, ok}, "PING": {0, ping}, "TIME": {0, now},
	"SUBSCRIBE":    {1, func(c *session, args [][]byte) []byte { return c.subscribe("subscribe", c.channels, args) }},
	"PSUBSCRIBE":   {1, func(c *session, args [][]byte) []byte { return c.subscribe("psubscribe", c.patterns, args) }},
	"SSUBSCRIBE":   {1, func(c *session, args [][]byte) []byte { return c.subscribe("ssubscribe", c.shards, args) }},
	"UNSUBSCRIBE":  {1, func(c *session, args [][]byte) []byte { return c.unsubscribe("unsubscribe", c.channels, args) }},
	"PUNSUBSCRIBE": {1, func(c *session, args [][]byte) []byte { return c.unsubscribe("punsubscribe", c.patterns, args) }},
	"SUNSUBSCRIBE": {1, func(c *session, args [][]byte) []byte { return c.unsubscribe("sunsubscribe", c.shards, args) }},
	"PUBLISH":      {2, func(c *session, args [][]byte) []byte { return number(c.s.publishLocked(args[0], args[1], false)) }},
	"SPUBLISH":     {2, func(c *session, args [][]byte) []byte { return number(c.s.publishLocked(args[0], args[1], true)) }},
	"PUBSUB":       {1, pubsub},
	"GET":          {1, get}, "SET": {2, set}, "DEL": {1, del}, "EXPIRE": {2, expire},
	"SADD": {2, sadd}, "SREM": {2, srem}, "SMEMBERS": {1, smembers},
	"XADD": {4, xadd}, "XREAD": {3, xread}, "XRANGE": {3, xrange}, "XINFO": {2, xinfo}, "XLEN": {1, xlen},
}

func ok(*session, [][]byte) []byte { return status("OK") }

func ping(c *session, _ [][]byte) []byte {
	if len(c.channels)+len(c.patterns)+len(c.shards) > 0 {
		return array("pong", "")
	}
	return status("PONG")
}

func now(*session, [][]byte) []byte {
	t := time.Now()
	return array(strconv.FormatInt(t.Unix(), 10), strconv.Itoa(t.Nanosecond()/1000))
}

// subscribe answers for each channel.
func (c *session) subscribe(kind string, list map[string]bool, names [][]byte) (answer []byte) {
	for _, name := range names {
		list[string(name)] = true
		answer = append(answer, array(kind, name, c.count(kind))...)
	}
	return answer
}

func (c *session) unsubscribe(kind string, list map[string]bool, names [][]byte) (answer []byte) {
	for _, name := range names {
		delete(list, string(name))
		answer = append(answer, array(kind, name, c.count(kind))...)
	}
	return answer
}

// count is how many subscriptions an answer tells of.
func (c *session) count(kind string) int {
	if strings.HasPrefix(kind, "s") && strings.HasSuffix(kind, "subscribe") && kind != "subscribe" {
		return len(c.shards)
	}
	return len(c.channels) + len(c.patterns)
}

// pubsub answers NUMSUB, SHARDNUMSUB and CHANNELS.
func pubsub(c *session, args [][]byte) []byte {
	what := strings.ToUpper(string(args[0]))
	answer := []any{}
	switch what {
	case "NUMSUB", "SHARDNUMSUB":
		for _, name := range args[1:] {
			n := 0
			for other := range c.s.sessions {
				if what == "NUMSUB" && other.channels[string(name)] || what != "NUMSUB" && other.shards[string(name)] {
					n++
				}
			}
			answer = append(answer, name, n)
		}
	case "CHANNELS":
		names := map[string]bool{}
		for other := range c.s.sessions {
			for name := range other.channels {
				if len(args) < 2 || matches(string(args[1]), name) {
					names[name] = true
				}
			}
		}
		for _, name := range slices.Sorted(maps.Keys(names)) {
			answer = append(answer, name)
		}
	default:
		return failure("ERR unknown subcommand")
	}
	return array(answer...)
}

func get(c *session, args [][]byte) []byte {
	if v, ok := c.s.getLocked(string(args[0])); ok {
		return bulk(v.text)
	}
	return null
}

// set knows EX and PX.
func set(c *session, args [][]byte) []byte {
	v := value{text: args[1], written: time.Now()}
	if len(args) == 4 {
		n, err := strconv.Atoi(string(args[3]))
		unit := map[string]time.Duration{"EX": time.Second, "PX": time.Millisecond}[strings.ToUpper(string(args[2]))]
		switch {
		case unit == 0:
			return failure("ERR syntax error")
		case err != nil:
			return failure("ERR value is not an integer or out of range")
		}
		v.expires = v.written.Add(time.Duration(n) * unit)
	} else if len(args) != 2 {
		return failure("ERR syntax error")
	}
	c.s.keys[string(args[0])] = v
	return status("OK")
}

func del(c *session, args [][]byte) []byte {
	n := 0
	for _, name := range args {
		if _, ok := c.s.getLocked(string(name)); ok {
			delete(c.s.keys, string(name))
			n++
		}
	}
	return number(n)
}

func expire(c *session, args [][]byte) []byte {
	v, ok := c.s.getLocked(string(args[0]))
	seconds, err := strconv.Atoi(string(args[1]))
	switch {
	case err != nil:
		return failure("ERR value is not an integer or out of range")
	case !ok:
		return number(0)
	}
	v.expires = time.Now().Add(time.Duration(seconds) * time.Second)
	c.s.keys[string(args[0])] = v
	return number(1)
}

func sadd(c *session, args [][]byte) []byte {
	v, _ := c.s.getLocked(string(args[0]))
	if v.members == nil {
		v.members = map[string]bool{}
	}
	v.written = time.Now()
	before := len(v.members)
	for _, m := range args[1:] {
		v.members[string(m)] = true
	}
	c.s.keys[string(args[0])] = v
	return number(len(v.members) - before)
}

func srem(c *session, args [][]byte) []byte {
	v, _ := c.s.getLocked(string(args[0]))
	before := len(v.members)
	for _, m := range args[1:] {
		delete(v.members, string(m))
	}
	return number(before - len(v.members))
}

func smembers(c *session, args [][]byte) []byte {
	v, _ := c.s.getLocked(string(args[0]))
	answer := []any{}
	for _, m := range slices.Sorted(maps.Keys(v.members)) {
		answer = append(answer, m)
	}
	return array(answer...)
}

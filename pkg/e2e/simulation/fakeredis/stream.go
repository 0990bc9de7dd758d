package fakeredis

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A stream is one of XADD.
type stream struct {
	entries []entry
	last    id
	added   int
}

type entry struct {
	id     id
	fields [][]byte
}

// An id is that of an entry.
type id struct{ ms, seq uint64 }

func (i id) String() string { return fmt.Sprintf("%d-%d", i.ms, i.seq) }

func (i id) compare(o id) int { return cmp.Or(cmp.Compare(i.ms, o.ms), cmp.Compare(i.seq, o.seq)) }

// readID reads an id, of which the second part may be missing.
func readID(text []byte, seq uint64) (id, bool) {
	switch string(text) {
	case "-":
		return id{}, true
	case "+":
		return id{^uint64(0), ^uint64(0)}, true
	}
	ms, rest, two := strings.Cut(string(text), "-")
	i, err := strconv.ParseUint(ms, 10, 64)
	if err != nil {
		return id{}, false
	}
	if two {
		if seq, err = strconv.ParseUint(rest, 10, 64); err != nil {
			return id{}, false
		}
	}
	return id{i, seq}, true
}

// cut forgets what was added after a time, as a Redis does whose file ends there.
func (st *stream) cut(since time.Time) {
	for n := len(st.entries); n > 0 && st.entries[n-1].id.ms > uint64(since.UnixMilli()); n-- {
		st.entries = st.entries[:n-1]
		st.added--
	}
	st.last = id{}
	if n := len(st.entries); n > 0 {
		st.last = st.entries[n-1].id
	}
}

// since are the entries from an id on, at most count, 0: all.
func (st *stream) since(from, to id, count int) []entry {
	at, _ := slices.BinarySearchFunc(st.entries, from, func(e entry, i id) int { return e.id.compare(i) })
	end := at
	for end < len(st.entries) && (count == 0 || end-at < count) && st.entries[end].id.compare(to) <= 0 {
		end++
	}
	return st.entries[at:end]
}

// xadd knows MAXLEN, with or without ~, and ids of the server's.
func xadd(c *session, args [][]byte) []byte {
	name, args := string(args[0]), args[1:]
	most := -1
	if strings.EqualFold(string(args[0]), "MAXLEN") {
		args = args[1:]
		if string(args[0]) == "~" {
			args = args[1:]
		}
		n, err := strconv.Atoi(string(args[0]))
		if err != nil {
			return failure("ERR value is not an integer or out of range")
		}
		most, args = n, args[1:]
	}
	if len(args) < 3 || len(args)%2 != 1 || string(args[0]) != "*" {
		return failure("ERR wrong number of arguments for 'xadd' command")
	}
	st := c.s.streams[name]
	if st == nil {
		st = &stream{}
		c.s.streams[name] = st
	}
	next := id{uint64(time.Now().UnixMilli()), 0}
	if next.compare(st.last) <= 0 {
		next = id{st.last.ms, st.last.seq + 1}
	}
	st.last = next
	st.added++
	st.entries = append(st.entries, entry{next, args[1:]})
	if most >= 0 && len(st.entries) > most {
		st.entries = slices.Clone(st.entries[len(st.entries)-most:])
	}
	c.s.changed.Broadcast()
	return bulk([]byte(next.String()))
}

// xread reads one stream. With BLOCK it waits, without holding anybody up.
func xread(c *session, args [][]byte) []byte {
	count, block, waits := 0, time.Duration(0), false
	for len(args) > 2 && !strings.EqualFold(string(args[0]), "STREAMS") {
		n, err := strconv.Atoi(string(args[1]))
		if err != nil {
			return failure("ERR syntax error")
		}
		switch strings.ToUpper(string(args[0])) {
		case "COUNT":
			count = n
		case "BLOCK":
			block, waits = time.Duration(n)*time.Millisecond, true
		}
		args = args[2:]
	}
	if len(args) != 3 {
		return failure("ERR syntax error")
	}
	name := string(args[1])
	after, ok := readID(args[2], 0)
	if !ok {
		return failure("ERR Invalid stream ID specified as stream command argument")
	}
	from := id{after.ms, after.seq + 1}
	var timer *time.Timer
	for end := time.Now().Add(block); ; {
		if st := c.s.streams[name]; st != nil && !c.s.stopped {
			if list := st.since(from, id{^uint64(0), ^uint64(0)}, count); len(list) > 0 {
				return array(raw(array(name, raw(encode(list)))))
			}
		}
		if c.over || !waits || c.queued != nil || !c.s.stopped && !time.Now().Before(end) {
			return nullArray
		}
		if timer == nil {
			timer = time.AfterFunc(block, func() {
				c.s.mu.Lock()
				defer c.s.mu.Unlock()
				c.s.changed.Broadcast()
			})
			defer timer.Stop()
		}
		c.s.changed.Wait()
	}
}

// xrange knows COUNT.
func xrange(c *session, args [][]byte) []byte {
	from, ok := readID(args[1], 0)
	to, ok2 := readID(args[2], ^uint64(0))
	count := 0
	if len(args) == 5 {
		count, _ = strconv.Atoi(string(args[4]))
	}
	if !ok || !ok2 {
		return failure("ERR Invalid stream ID specified as stream command argument")
	}
	st := c.s.streams[string(args[0])]
	if st == nil {
		return array()
	}
	return encode(st.since(from, to, count))
}

// encode makes an answer of entries.
func encode(list []entry) []byte {
	var answers []any
	for _, e := range list {
		fields := make([]any, len(e.fields))
		for i, f := range e.fields {
			fields[i] = f
		}
		answers = append(answers, raw(array(e.id.String(), raw(array(fields...)))))
	}
	return array(answers...)
}

// xinfo knows STREAM.
func xinfo(c *session, args [][]byte) []byte {
	st := c.s.streams[string(args[1])]
	switch {
	case !strings.EqualFold(string(args[0]), "STREAM"):
		return failure("ERR unknown subcommand")
	case st == nil:
		return failure("ERR no such key")
	}
	first, last, oldest := raw(nullArray), raw(nullArray), "0-0"
	if n := len(st.entries); n > 0 {
		one := func(e entry) raw { return encode([]entry{e})[len("*1\r\n"):] }
		first, last, oldest = one(st.entries[0]), one(st.entries[n-1]), st.entries[0].id.String()
	}
	return array("length", len(st.entries), "radix-tree-keys", 1, "radix-tree-nodes", 2, "last-generated-id", st.last.String(),
		"max-deleted-entry-id", "0-0", "entries-added", st.added, "recorded-first-entry-id", oldest, "groups", 0,
		"first-entry", first, "last-entry", last)
}

func xlen(c *session, args [][]byte) []byte {
	if st := c.s.streams[string(args[0])]; st != nil {
		return number(len(st.entries))
	}
	return number(0)
}

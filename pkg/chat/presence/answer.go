package presence

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
)

// An answer is kept for all who ask before it is too old.
type answer struct {
	snapshot Snapshot
	json     []byte // nil: has to be made
	first    []byte // the same, for those who begin to watch
}

// People tells who is in a room; if they are many, as it was at some time since the last beat. What it returns must not be changed.
func (r *Registry) People(room string) Snapshot {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.answerLocked(room).snapshot
}

// Encoded is what [Registry.People] returns, as JSON. It must not be changed.
func (r *Registry) Encoded(room string) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	a := r.answerLocked(room)
	if a.json == nil {
		a.json = encode(a.snapshot)
	}
	return a.json
}

// First is Encoded for somebody who begins to watch: with fewer people, for when many come at once, most of them would change before they are read.
func (r *Registry) First(room string) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	a := r.answerLocked(room)
	if a.first == nil {
		s := a.snapshot
		n := min(len(s.People), maxFirst)
		s.More = s.More || n < len(s.People)
		s.People = s.People[:n]
		a.first = encode(s)
	}
	return a.first
}

func (r *Registry) answerLocked(room string) *answer {
	t := r.rooms[room]
	if t == nil {
		return &answer{snapshot: Snapshot{People: []Person{}, Partial: r.apart}}
	}
	if t.answer == nil || t.answer.snapshot.Partial != r.apart {
		t.answer = &answer{snapshot: t.snapshot(r.apart)}
	}
	return t.answer
}

func (t *total) snapshot(partial bool) Snapshot {
	names := slices.Sorted(maps.Keys(t.people))
	if len(names) > 0 && names[0] == "" {
		names = names[1:]
	}
	s := Snapshot{Count: len(names), Connections: t.connections, More: len(names) > maxPeople, Partial: partial}
	names = names[:min(len(names), maxPeople)]
	s.People = make([]Person, len(names))
	for i, name := range names {
		s.People[i] = Person{name, t.people[name]}
	}
	return s
}

// encode writes JSON as JSON.stringify does, <, > and & as they are.
func encode(s Snapshot) []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(s) // it always can be
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

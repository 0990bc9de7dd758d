package presence

// A crowd is how many connections each name has, by room. Names without a connection, and rooms without a name, are not in it.
type crowd map[string]map[string]int

// set sets a count and returns by how much it changed.
func (c crowd) set(room, name string, count int) (change int) {
	people := c[room]
	change = count - people[name]
	switch {
	case count > 0 && people == nil:
		c[room] = map[string]int{name: count}
	case count > 0:
		people[name] = count
	default:
		delete(people, name)
		if len(people) == 0 {
			delete(c, room)
		}
	}
	return change
}

// A Count is how many connections a name has in a room.
type Count struct {
	Room  string `json:"r,omitempty"`
	Name  string `json:"n,omitempty"`
	Count int    `json:"c"`
}

// counts lists all of a crowd.
func (c crowd) counts() (list []Count) {
	for room, people := range c {
		for name, n := range people {
			list = append(list, Count{room, name, n})
		}
	}
	return list
}

// total is a room as everybody sees it: the sum of all crowds.
type total struct {
	people      map[string]int // "" are guests
	connections int
	changed     map[string]struct{} // names, since the last beat
	touched     bool                // a count has changed since then, be it that of guests
	answer      *answer             // nil: has to be made
	pause       int                 // beats until the next change is told, for the last one was a reset
}

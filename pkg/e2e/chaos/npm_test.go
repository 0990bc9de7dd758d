package chaos

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// npmClients are the npm clients of a world: one of each kind, over all places.
var npmClients = []struct{ generation, transport string }{
	{"1.4.5", "websocket"}, {"1.4.5", "polling"}, {"2.5.0", "websocket"}, {"2.5.0", "polling"}, {"4.8", "websocket"}, {"4.8", "polling"},
}

// listen brings npm clients into the world, if they are installed. They only listen.
func (w *world) listen() {
	w.t.Helper()
	node, err := exec.LookPath("node")
	if err == nil {
		_, err = os.Stat("../node/node_modules/.package-lock.json")
	}
	if err != nil {
		if os.Getenv("CI") != "" {
			w.t.Fatal("the npm clients are not installed: run `npm ci` in pkg/e2e/node")
		}
		w.t.Log("without npm clients: run `npm ci` in pkg/e2e/node to have them take part")
		return
	}
	script, err := filepath.Abs("listeners.mjs")
	if err != nil {
		w.t.Fatal(err)
	}
	args := []string{script}
	var people []*person
	for i, c := range npmClients {
		place := i % firstPlaces % len(w.instances) // not the spare one of a nemesis
		people = append(people, &person{w: w, name: "npm " + c.generation + " " + c.transport, modern: c.generation == "4.8", place: place})
		args = append(args, c.generation+","+c.transport+",http://"+w.instances[place].front.addr())
	}
	start(w.t, "npm clients", func(line string) bool { return w.note(people, line) }, os.Environ(), node, args...)
	w.people = append(w.people, people...)
	w.gathered()
}

// note keeps what listeners.mjs says.
func (w *world) note(people []*person, line string) bool {
	now := time.Now()
	f := strings.Fields(line)
	if len(f) < 2 {
		return false
	}
	n, err := strconv.Atoi(f[1])
	if err != nil || n >= len(people) {
		return false
	}
	p := people[n]
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case f[0] == "c" && len(f) == 3:
		p.stays = append(p.stays, stay{At: w.instances[p.place].lives(), From: now, Recovered: f[2] == "1", Asked: len(p.stays) > 0 && p.modern})
	case f[0] == "d" && len(p.stays) > 0:
		p.stays[len(p.stays)-1].To = now
	case f[0] == "h" && len(f) == 4:
		if seq, err := strconv.Atoi(f[3]); err == nil {
			p.heard = append(p.heard, word{From: f[2], Seq: seq, At: now})
		}
	default:
		return false
	}
	return true
}

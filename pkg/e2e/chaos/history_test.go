package chaos

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gobwas/ws"

	"socketio-chat/pkg/e2e/verdict"
)

// In a nemesis the servers keep what is said, and everybody asks for an acknowledgement of each word: {kept: true} says that it is in the history,
// {kept: false} that it will be when Redis is back.

// acknowledge takes what follows "43/chat,": the number of the word, and the acknowledgement.
func (p *person) acknowledge(text string) error {
	number, answer, _ := strings.Cut(text, "[")
	seq, err := strconv.Atoi(number)
	if err != nil {
		return err
	}
	var sent []struct{ Kept bool }
	if err := json.Unmarshal([]byte("["+answer), &sent); err != nil || len(sent) != 1 {
		return fmt.Errorf("acknowledged with [%s: %w", answer, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.kept == nil {
		p.kept = map[int]bool{}
	}
	if _, twice := p.kept[seq]; twice {
		p.w.t.Errorf("%d of %s was acknowledged twice", seq, p.name)
	}
	p.kept[seq] = sent[0].Kept
	return nil
}

// An entry is a message of the history.
type entry struct {
	ID      string
	Payload speech
}

// speech is what somebody said. A client of another test, whose server had this port before, may have said anything: that has no name.
type speech struct{ Name, Text string }

// UnmarshalJSON never fails.
func (s *speech) UnmarshalJSON(b []byte) error {
	type plain speech
	var said plain
	if json.Unmarshal(b, &said) == nil {
		*s = speech(said)
	}
	return nil
}

// historyPage is what a server answers.
type historyPage struct {
	Messages      []entry
	More, Partial bool
}

// mostTold is how many faults of a history are told.
const mostTold = 12

var errPartial = errors.New("the history is partial")

// history asks a place for all that was said, page by page.
func (in *instance) history() (all []entry, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, buffered, _, err := ws.Dial(ctx, "ws://"+in.front.addr()+"/socket.io/?EIO=4&transport=websocket")
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	read := bufio.NewReader(conn)
	if buffered != nil {
		read = bufio.NewReader(io.MultiReader(buffered, conn))
	}
	ask := `42/chat,1["history",{"limit":200}]`
	for {
		f, err := readFrame(read)
		if err != nil {
			return nil, err
		}
		text := string(f.Payload)
		page, answered := strings.CutPrefix(text, "43/chat,1")
		switch {
		case strings.HasPrefix(text, "0"):
			err = writeText(conn, "40/chat,")
		case strings.HasPrefix(text, "40/chat,"):
			err = writeText(conn, ask)
		case text == "2":
			err = writeText(conn, "3")
		case answered:
			var answer []historyPage
			if err := json.Unmarshal([]byte(page), &answer); err != nil || len(answer) != 1 {
				return nil, fmt.Errorf("%s: %w", page, err)
			}
			if answer[0].Partial {
				return nil, errPartial
			}
			all = append(answer[0].Messages, all...)
			if !answer[0].More {
				return all, nil
			}
			err = writeText(conn, fmt.Sprintf(`42/chat,1["history",{"limit":200,"before":%q}]`, all[0].ID))
		}
		if err != nil {
			return nil, err
		}
	}
}

// remembers holds the history against what was acknowledged: all of it is there, once, in order, and all instances tell the same.
func (w *world) remembers() {
	w.t.Helper()
	tellers := w.tellers()
	if len(tellers) == 0 {
		w.t.Log("the history was not asked for: all instances are of an older version")
		return
	}
	took := w.tookAlong()
	var told []entry
	var lacks []string
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); ; <-tick.C { // what waited for Redis comes after it is back
		var err error
		if told, err = tellers[0].history(); err == nil {
			lacks = w.forgotten(told, took)
		}
		if err == nil && len(lacks) == 0 {
			break
		}
		if time.Now().After(end) {
			w.t.Errorf("the history lacks %d words (%v): %v", len(lacks), err, lacks[:min(len(lacks), mostTold)])
			break
		}
	}
	if wrong := w.disarranged(told); len(wrong) > 0 {
		w.t.Errorf("the history has %d words more than once or out of order: %v", len(wrong), wrong[:min(len(wrong), mostTold)])
	}
	for _, in := range tellers[1:] {
		if other, err := in.history(); err != nil || !slices.Equal(other, told) {
			w.t.Errorf("instance %d tells another history than instance %d: %d messages, not %d: %v", in.number, tellers[0].number, len(other), len(told), err)
		}
	}
	w.t.Logf("the history has %d messages", len(told))
}

// tellers are the instances that are asked for the history: an older version may not keep one.
func (w *world) tellers() (list []*instance) {
	for _, in := range w.instances[:firstPlaces] {
		in.mu.Lock()
		if in.process.cmd.Args[0] != oldServer() {
			list = append(list, in)
		}
		in.mu.Unlock()
	}
	return list
}

// tookAlong are the processes, by what lives was, that may have had words which were not in the history yet.
func (w *world) tookAlong() map[int]bool {
	took := map[int]bool{}
	for _, in := range w.instances {
		in.mu.Lock()
		for _, e := range in.ends {
			took[e.life] = e.killed || e.log.mentions("messages are not in the history")
		}
		in.mu.Unlock()
	}
	return took
}

// forgotten are the words that were acknowledged and are not there, but those that waited on a process that was killed, or said that it gave up.
func (w *world) forgotten(told []entry, took map[int]bool) (lacks []string) {
	there := map[[2]string]bool{}
	for _, e := range told {
		there[[2]string{e.Payload.Name, e.Payload.Text}] = true
	}
	for _, p := range w.people {
		p.mu.Lock()
		for seq, kept := range p.kept {
			excused := !kept && took[p.stays[p.said[seq].Stay-1].At]
			if !excused && !there[[2]string{p.name, strconv.Itoa(seq)}] {
				lacks = append(lacks, fmt.Sprintf("%d of %s, said %s, kept at once: %v", seq, p.name, verdict.Clock(p.said[seq].At), kept))
			}
		}
		p.mu.Unlock()
	}
	return lacks
}

// disarranged are the words that were acknowledged and stand there twice, or after a later one of the same connection.
func (w *world) disarranged(told []entry) (wrong []string) {
	people := map[string]*person{}
	for _, p := range w.people {
		p.mu.Lock()
		defer p.mu.Unlock()
		people[p.name] = p
	}
	latest := map[string]map[int]int{} // of each person, by stay
	for _, e := range told {
		p := people[e.Payload.Name]
		if p == nil {
			continue
		}
		seq, err := strconv.Atoi(e.Payload.Text)
		if err != nil || seq >= len(p.said) {
			wrong = append(wrong, fmt.Sprintf("%+v was never said", e))
			continue
		}
		if _, acknowledged := p.kept[seq]; !acknowledged {
			continue // a server of an older version may have relayed it
		}
		if latest[p.name] == nil {
			latest[p.name] = map[int]int{}
		}
		stay := p.said[seq].Stay
		if before, any := latest[p.name][stay]; any && seq <= before {
			wrong = append(wrong, fmt.Sprintf("%d of %s after %d", seq, p.name, before))
		}
		latest[p.name][stay] = max(seq, latest[p.name][stay])
	}
	return wrong
}

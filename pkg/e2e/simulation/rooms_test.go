package simulation

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/e2e/verdict"
	"socketio-chat/pkg/socketio"
)

// rooms are where people are beside the chat, by turns: from the beginning of their session to its end.
var rooms = []string{"blue", "red"}

// A roomWord is what somebody says in its room.
type roomWord struct{ Name, Text, Room string }

// serveRooms lets a server's clients talk in rooms. It acknowledges each word.
func serveRooms(io *socketio.Server) {
	chat := io.Of("/chat")
	chat.OnConnect(func(_ context.Context, s *socket.Socket) error {
		if room := s.Handshake().Query["room"]; len(room) == 1 && !s.Recovered() {
			s.Join(socket.Room(room[0]))
		}
		return nil
	})
	socketio.Handle(chat, "sayInRoom", func(ctx context.Context, _ *socket.Socket, w roomWord) (string, error) {
		return w.Text, chat.Everybody().In(socket.Room(w.Room)).BroadcastFrom(ctx, "saidInRoom", w)
	})
}

// A guest is a person in its room. Guarded by the person's mutex.
type guest struct {
	room   string
	memory verdict.Memory // what was said in the room; whose name is not the person's, so that its words are others
	acks   map[int]int    // by word, how often it was acknowledged
}

func newGuest(name string, number int) guest {
	g := guest{room: rooms[number%len(rooms)], acks: map[int]int{}}
	g.memory.Name = name + " in " + g.room
	return g
}

// saysInRoom says the next number there, if it is connected.
func (p *person) saysInRoom() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conn == nil {
		return
	}
	m := &p.guest.memory
	w := verdict.Word{From: m.Name, Seq: len(m.Said), At: p.w.now(), Stay: len(p.memory.Stays)}
	m.Said = append(m.Said, w)
	if writeText(p.conn, fmt.Sprintf(`42/chat,%d["sayInRoom",{"name":%q,"text":"%d","room":%q}]`, w.Seq, w.From, w.Seq, p.guest.room)) != nil {
		_ = p.conn.Close()
	}
}

// hearInRoom notes a word that was said in a room.
func (p *person) hearInRoom(args []json.RawMessage) {
	var said roomWord
	if json.Unmarshal(args[1], &said) != nil || said.Room != p.guest.room {
		p.w.problem("%s, who is in the room %s, got %q", p.name, p.guest.room, args)
		return
	}
	if seq, err := strconv.Atoi(said.Text); err == nil {
		p.guest.memory.Heard = append(p.guest.memory.Heard, verdict.Word{From: said.Name, Seq: seq, At: p.w.now()})
	}
}

// acknowledged notes an acknowledgement: its id, and the word.
func (p *person) acknowledged(text string) {
	id, word, _ := strings.Cut(text, "[")
	p.mu.Lock()
	defer p.mu.Unlock()
	seq, err := strconv.Atoi(id)
	switch {
	case err != nil || word != fmt.Sprintf(`"%d"]`, seq):
		p.w.problem("%s got the acknowledgement %q", p.name, text)
	case p.guest.acks[seq] > 0:
		p.w.problem("%s got the acknowledgement %q again", p.name, text)
	}
	p.guest.acks[seq]++
}

// judgeRooms adds the verdict on what was said in the rooms. The people's mutexes are held.
func (w *world) judgeRooms(v *verdict.Verdict, ends map[int]verdict.Ending, r verdict.Rules) {
	for _, room := range rooms {
		var guests []*verdict.Memory
		for _, p := range w.people {
			if p.guest.room != room {
				continue
			}
			p.guest.memory.Stays = p.memory.Stays
			guests = append(guests, &p.guest.memory)
			for _, said := range p.guest.memory.Said {
				if said.Stay == len(p.memory.Stays) && p.guest.acks[said.Seq] == 0 { // the connection is still there, and later words came back over it
					v.Complain(1, fmt.Sprintf("was not acknowledged: %d of %s", said.Seq, said.From))
				}
			}
		}
		in := verdict.Judge(guests, ends, r)
		for _, what := range in.Complaints {
			v.Complaints = append(v.Complaints, "in a room: "+what)
		}
		v.Examples = slices.Concat(v.Examples, slices.DeleteFunc(in.Examples, func(e string) bool { return strings.HasPrefix(e, "(") }))
		v.Said, v.Due, v.DueCross = v.Said+in.Said, v.Due+in.Due, v.DueCross+in.DueCross
		v.LostCross, v.Excused, v.Losses = v.LostCross+in.LostCross, v.Excused+in.Excused, append(v.Losses, in.Losses...)
	}
}

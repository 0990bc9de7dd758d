package chat_test

import (
	"flag"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"socketio-chat/pkg/chat"
)

// What differs from run to run, in the transcript.
var (
	someID   = regexp.MustCompile(`"\d{13}-\d{8}"`)
	someTime = regexp.MustCompile(`\b1\d{12}\b`)
)

// TestTranscript plays a conversation on the wire and compares every packet of the server: lines are "name> packet" and "name< packet", comments
// begin with "#". With -update it writes down what the server sends now.
func TestTranscript(t *testing.T) {
	const file = "testdata/protocol.txt"
	h := httptest.NewServer(extended(t, chat.Options{JoinNotice: true, Rooms: true, Presence: true}))
	defer h.Close()
	address := "ws" + strings.TrimPrefix(h.URL, "http")
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	recording := flag.Lookup("update").Value.String() == "true"
	people := map[string]*client{}
	ids := []string{}
	var out []string
	for _, line := range strings.Split(strings.TrimSpace(string(b)), "\n") {
		switch name, packet, sends := strings.Cut(line, "> "); {
		case line == "" || line[0] == '#':
		case sends && !strings.Contains(name, "<"):
			if people[name] == nil {
				people[name] = join(t, address, "EIO=4&username="+name, packet)
				break
			}
			if len(ids) > 0 {
				packet = strings.ReplaceAll(packet, "<first id>", ids[0])
			}
			people[name].send(packet)
		default:
			name, want, _ := strings.Cut(line, "< ")
			got := people[name].next()
			for _, id := range someID.FindAllString(got, -1) {
				ids = append(ids, strings.Trim(id, `"`))
			}
			got = someTime.ReplaceAllString(someID.ReplaceAllString(got, `"<id>"`), "<time>")
			if got != want && !recording {
				t.Fatalf("%s got  %s\nwant %s", name, got, want)
			}
			line = name + "< " + got
		}
		out = append(out, line)
	}
	if recording {
		if err := os.WriteFile(file, []byte(strings.Join(out, "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

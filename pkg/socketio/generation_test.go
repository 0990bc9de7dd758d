package socketio

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/zishang520/socket.io/v2/socket"
)

// The Korean of a 1.x browser on polling arrives as its user typed it, and what a 2.x user typed is
// never taken for a second encoding, even where it looks like one.
func TestTextOfBothGenerations(t *testing.T) {
	for _, tt := range []struct{ name, connect, posted, want string }{
		{"1.x Korean", "40/chat", "\u00ec\u0095\u0088", "안"}, // the body has C3 AC C2 95 C2 88
		{"1.x with a query encoded twice", "40/chat?username=\u00ea\u00b9\u0080", "\u00ec\u0095\u0088", "안"},
		{"1.x ASCII", "40/chat", "hello", "hello"},
		{"2.x Korean", "40/chat,", "안", "안"},
		{"2.x that looks encoded twice", "40/chat,", "\u00ec\u0095\u0088", "\u00ec\u0095\u0088"},
		{"1.x known only as such by half", "40/chat", "안", "안"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := make(chan string, 1)
			server := NewServer(Options{})
			On(server.Of("/chat"), "say", func(_ context.Context, _ *socket.Socket, text string) error {
				got <- text
				return nil
			})
			srv := httptest.NewServer(server)
			t.Cleanup(func() {
				srv.CloseClientConnections()
				srv.Close()
				ctx, cancel := context.WithCancel(context.Background())
				cancel() // nobody polls any more
				_ = server.Close(ctx)
			})
			url := srv.URL + "/socket.io/?EIO=3&transport=polling"
			open := get(t, url)
			_, open, _ = strings.Cut(open, `"sid":"`)
			sid, _, _ := strings.Cut(open, `"`)
			post(t, url+"&sid="+sid, tt.connect)
			for answers := ""; !strings.Contains(answers, "40/chat"); {
				answers += get(t, url+"&sid="+sid)
			}
			post(t, url+"&sid="+sid, `42/chat,["say","`+tt.posted+`"]`)
			if text := <-got; text != tt.want {
				t.Errorf("the handler got %q, want %q", text, tt.want)
			}
		})
	}
}

func get(t testing.TB, url string) string {
	t.Helper()
	return read(t)(http.Get(url))
}

// post sends one packet as a text payload of protocol 3.
func post(t testing.TB, url, packet string) {
	t.Helper()
	body := strconv.Itoa(len(utf16.Encode([]rune(packet)))) + ":" + packet
	if answer := read(t)(http.Post(url, "text/plain;charset=UTF-8", strings.NewReader(body))); answer != "ok" {
		t.Fatalf("POST %q: %q", packet, answer)
	}
}

func read(t testing.TB) func(*http.Response, error) string {
	return func(res *http.Response, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
}

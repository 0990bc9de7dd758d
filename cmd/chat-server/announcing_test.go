package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"socketio-chat/pkg/chat"
	"socketio-chat/pkg/chat/history"
	"socketio-chat/pkg/socketio"
	"socketio-chat/pkg/socketio/sockettest"
)

// What operators post everybody hears, and it is in the history; what is no message is refused.
func TestPostedAnnouncement(t *testing.T) {
	server := socketio.NewServer(socketio.Options{})
	limits := history.Limits{Count: 10, Bytes: 1 << 20, Age: time.Hour}
	g := chat.New(server, chat.Options{History: chat.History{Store: history.NewMemory(limits), Limits: limits}})
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := server.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	alice := sockettest.Connect(t, server, chat.Namespace)
	post := func(kind, body string, fields ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodPost, "/announce", strings.NewReader(body))
		r.Header.Set("Content-Type", kind)
		for _, field := range fields {
			name, value, _ := strings.Cut(field, ": ")
			r.Header.Set(name, value)
		}
		w := httptest.NewRecorder()
		announcing(g).ServeHTTP(w, r)
		return w
	}
	for _, c := range []struct {
		kind, body string
		status     int
	}{
		{"text/plain", `"x"`, http.StatusUnsupportedMediaType},
		{"application/json", `{"name":`, http.StatusBadRequest},
		{"application/json", "", http.StatusBadRequest},
		{"application/json", `"` + strings.Repeat("x", maxAnnouncement) + `"`, http.StatusRequestEntityTooLarge},
		{"application/json; charset=utf-8", "{\"name\": \"admin\",\"text\":\"hello\"}\n", http.StatusOK},
	} {
		if w := post(c.kind, c.body); w.Code != c.status {
			t.Errorf("%s %.40s: got %d %s, want %d", c.kind, c.body, w.Code, w.Body, c.status)
		} else if w.Code == http.StatusOK && !strings.Contains(w.Body.String(), `"kept":true`) {
			t.Errorf("got %s", w.Body)
		}
	}
	for _, field := range []string{
		"Origin: http://evil.example", "Origin: null", "Origin: http://example.com", // the last is this very host, as in DNS rebinding
		"Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-origin",
	} {
		if w := post("application/json", `"from a page"`, field); w.Code != http.StatusForbidden {
			t.Errorf("%s: got %d %s", field, w.Code, w.Body)
		}
	}
	var got socketio.Payload
	alice.Expect(chat.MsgToClient, &got)
	if string(got.JSON) != `{"name": "admin","text":"hello"}` {
		t.Errorf("got %s", got.JSON)
	}
	var past struct{ Messages []any }
	if err := alice.Call(chat.EventHistory).Decode(&past); err != nil || len(past.Messages) != 1 {
		t.Errorf("got %+v, %v", past, err)
	}
}

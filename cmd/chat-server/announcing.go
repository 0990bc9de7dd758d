package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"

	"socketio-chat/pkg/chat"
	"socketio-chat/pkg/socketio"
)

// announcing takes a message, any JSON, for everybody in the chat: what `chat-server announce` does where there is a Redis. The answer tells
// whether it is in the history.
func announcing(g *chat.Gateway) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// A page that an operator has open cannot send this without asking first.
		if r.Header.Get("Content-Type") != "application/json" {
			http.Error(w, "the message has to be sent as application/json", http.StatusUnsupportedMediaType)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxAnnouncement))
		if err != nil {
			http.Error(w, "the message is too large", http.StatusRequestEntityTooLarge)
			return
		}
		if !json.Valid(body) {
			http.Error(w, "the message is not JSON", http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(g.Announce(r.Context(), socketio.Payload{JSON: bytes.TrimSpace(body)})) // the client may be gone
	})
}

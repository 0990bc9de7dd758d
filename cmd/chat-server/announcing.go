package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"

	"socketio-chat/pkg/chat"
	"socketio-chat/pkg/socketio"
)

// announcing takes a message, any JSON, for everybody in the chat: what `chat-server announce` does where there is a Redis. The answer tells
// whether it is in the history.
func announcing(g *chat.Gateway) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Pages that an operator has open must not speak here. They say where they are from with each POST, also one
		// that has got this address for its own by changing what its name means.
		if r.Header.Get("Origin") != "" || r.Header.Get("Sec-Fetch-Site") != "" {
			http.Error(w, "announcements are not taken from web pages", http.StatusForbidden)
			return
		}
		if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/json" { // of what is none, ""
			http.Error(w, "the message has to be sent as application/json", http.StatusUnsupportedMediaType)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxAnnouncement))
		switch {
		case errors.As(err, new(*http.MaxBytesError)):
			http.Error(w, fmt.Sprintf("the message has more than %d bytes", maxAnnouncement), http.StatusRequestEntityTooLarge)
			return
		case errors.Is(err, os.ErrDeadlineExceeded):
			http.Error(w, "the message did not come in time", http.StatusRequestTimeout)
			return
		case err != nil:
			http.Error(w, "the message did not come whole", http.StatusBadRequest)
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

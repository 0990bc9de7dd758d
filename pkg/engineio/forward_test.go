package engineio

import (
	"io"
	"net/http"
	"testing"
)

// A request for a session that is not here, and no other, is offered to
// Options.Forward; what that does not take is refused as ever.
func TestForward(t *testing.T) {
	srv := serve(t, Options{Forward: func(w http.ResponseWriter, r *http.Request, sid string) bool {
		if sid != "elsewhere" {
			return false
		}
		w.Header().Set("Access-Control-Allow-Origin", "the other's")
		_, _ = io.WriteString(w, r.Method+" for "+sid)
		return true
	}})
	here := dialPolling(t, srv, 4)
	const v4 = "EIO=4&transport="
	for _, tt := range []struct {
		name, method, query, headers string
		status                       int
		body                         string
	}{
		{"poll", "GET", v4 + "polling&sid=elsewhere", "", 200, "GET for elsewhere"},
		{"post", "POST", v4 + "polling&sid=elsewhere", "Content-Length: 0\n", 200, "POST for elsewhere"},
		{"upgrade", "GET", v4 + "websocket&sid=elsewhere", webSocketHeaders, 200, "GET for elsewhere"},
		{"nowhere", "GET", v4 + "polling&sid=nowhere", "", 400, unknownSID},
		{"upgrade to nowhere", "GET", v4 + "websocket&sid=nowhere", webSocketHeaders, 400, "Session ID unknown"},
		{"unknown transport", "GET", v4 + "pigeon&sid=elsewhere", "", 400, unknownTransport},
		{"wrong transport of a session that is here", "GET", v4 + "websocket&sid=" + here.sid, "", 400, badRequest},
		{"preflight", "OPTIONS", v4 + "polling&sid=elsewhere", "Access-Control-Request-Method: POST\n", 204, ""},
	} {
		res := srv.send(t, tt.method, tt.query, tt.headers)
		if res.status != tt.status || res.body != tt.body {
			t.Errorf("%s: got %d %q, want %d %q", tt.name, res.status, res.body, tt.status, tt.body)
		}
	}
	here.post(t, "4x") // lives
}

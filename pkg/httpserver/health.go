package httpserver

import (
	"encoding/json"
	"net/http"
)

// Check is one condition for getting clients.
type Check struct {
	Name string // such as "redis"
	// Ready returns nil, or an error that says why not. It must not block, and what it
	// says is public.
	Ready func() error
}

// status is the body of a health answer.
type status struct {
	Status string        `json:"status"`           // "ok" or "unavailable"
	Checks []checkResult `json:"checks,omitempty"` // of /readyz, in Options' order
}

type checkResult struct {
	Name   string `json:"name"`
	Ready  bool   `json:"ready"`
	Reason string `json:"reason,omitempty"`
}

// healthz answers 200 as long as the process answers at all: a restart would help against
// nothing that it could look at.
func (s *Server) healthz(w http.ResponseWriter, r *http.Request) {
	if readOnly(w, r) {
		writeStatus(w, r, http.StatusOK, status{Status: "ok"})
	}
}

// readyz answers 200 when the instance should get clients, 503 otherwise, and says why.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	if !readOnly(w, r) {
		return
	}
	code, body := http.StatusOK, status{Status: "ok"}
	add := func(result checkResult) {
		if body.Checks = append(body.Checks, result); !result.Ready {
			code, body.Status = http.StatusServiceUnavailable, "unavailable"
		}
	}
	if s.draining.Load() {
		add(checkResult{Name: "serving", Reason: "shutting down"})
	} else {
		add(checkResult{Name: "serving", Ready: true})
	}
	for _, c := range s.checks {
		result := checkResult{Name: c.Name, Ready: true}
		if err := c.Ready(); err != nil {
			result.Ready, result.Reason = false, err.Error()
		}
		add(result)
	}
	writeStatus(w, r, code, body)
}

func writeStatus(w http.ResponseWriter, r *http.Request, code int, body status) {
	text, err := json.Marshal(body)
	if err != nil { // strings and booleans always encode
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	answer(w, r, code, append(text, '\n'))
}

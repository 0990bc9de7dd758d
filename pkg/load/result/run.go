package result

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"
)

// Version is the version of the JSON format. Readers refuse any other.
const Version = 1

// Run is the outcome of one load run.
type Run struct {
	Version  int       `json:"version"`
	Label    string    `json:"label"`
	Started  time.Time `json:"started"`
	Settings Settings  `json:"settings"`
	Machine  Machine   `json:"machine"`
	Connect  Connect   `json:"connect"`
	Window   Window    `json:"window"`
	Counts   Counts    `json:"counts"`
	Latency  Latency   `json:"latency"`
	Samples  []Sample  `json:"samples"`
}

// Settings repeats what was asked for.
type Settings struct {
	Servers   []string `json:"servers"`
	Clients   int      `json:"clients"`
	Senders   int      `json:"senders"`
	Rate      float64  `json:"rate,omitempty"`     // messages a second, all senders together
	InFlight  int      `json:"inFlight,omitempty"` // messages a sender keeps under way (closed loop)
	Size      int      `json:"size"`               // bytes of text
	Transport string   `json:"transport"`
	Protocol  int      `json:"protocol"`
	Duration  float64  `json:"durationSeconds"`
}

// Machine names where the load tool ran.
type Machine struct {
	OS     string `json:"os"`
	CPU    string `json:"cpu"`
	Cores  int    `json:"cores"`
	Memory int64  `json:"memoryBytes"`
}

// Connect is the phase in which the clients came.
type Connect struct {
	Joined   int     `json:"joined"`
	Failed   int     `json:"failed"`
	Reason   string  `json:"reason,omitempty"` // of the first failure
	Seconds  float64 `json:"seconds"`          // until the last had joined
	Notices  uint64  `json:"notices"`          // join notices heard by all clients together
	Expected uint64  `json:"expected,omitempty"`
	Missed   uint64  `json:"missed,omitempty"` // of the expected ones, at least so many did not come
	// NoticeSeconds is the time until the last expected notice, where they were waited for.
	NoticeSeconds float64 `json:"noticeSeconds,omitempty"`
	Processes     []Usage `json:"processes,omitempty"`
	// KernelStart is the machine's kernel memory before the first client came, in bytes; 0: not known.
	KernelStart int64 `json:"kernelStartBytes,omitempty"`
}

// Window is the time in which rates and CPU were measured, after the warm-up.
type Window struct {
	Seconds    float64 `json:"seconds"`
	Sent       uint64  `json:"sent"`
	Deliveries uint64  `json:"deliveries"`
	Processes  []Usage `json:"processes,omitempty"`
	// Self is the load tool's own CPU time, Others that of everything else on the machine, in seconds.
	Self   float64 `json:"selfCPUSeconds"`
	Others float64 `json:"othersCPUSeconds"`
	// KernelEnd is the machine's kernel memory at the end, in bytes; 0: not known.
	KernelEnd int64 `json:"kernelEndBytes,omitempty"`
}

// Rate is deliveries a second.
func (w Window) Rate() float64 { return ratio(float64(w.Deliveries), w.Seconds) }

// CPU is the CPU time of all watched processes in the window, in seconds.
func (w Window) CPU() float64 { return cpuOf(w.Processes) }

// MicrosPerDelivery is the CPU time of all watched processes for one delivery, in microseconds.
func (w Window) MicrosPerDelivery() float64 { return ratio(w.CPU()*1e6, float64(w.Deliveries)) }

// CPU is the CPU time that the watched processes used while the clients came, in seconds.
func (c Connect) CPU() float64 { return cpuOf(c.Processes) }

func cpuOf(processes []Usage) float64 {
	sum := 0.0
	for _, p := range processes {
		sum += p.CPU
	}
	return sum
}

func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

// Usage is what one process used in a phase.
type Usage struct {
	PID      int     `json:"pid"`
	Name     string  `json:"name"`
	CPU      float64 `json:"cpuSeconds"` // user and system
	RSSStart int64   `json:"rssStartBytes"`
	RSSEnd   int64   `json:"rssEndBytes"`
}

// Counts are exact, over the whole run with its warm-up, unless Inexact says otherwise.
type Counts struct {
	Sent       uint64 `json:"sent"`
	Expected   uint64 `json:"expected"` // sent × clients
	Delivered  uint64 `json:"delivered"`
	Lost       uint64 `json:"lost"` // did not come before the drain ended
	Duplicates uint64 `json:"duplicates"`
	Reordered  uint64 `json:"reordered"` // came after a later one of the same sender
	Damaged    uint64 `json:"damaged"`   // other name or text than was sent
	Notices    uint64 `json:"notices"`   // join notices
	Foreign    uint64 `json:"foreign"`   // messages of others
	Left       int    `json:"left"`      // clients that the server cut off
	LeftReason string `json:"leftReason,omitempty"`
	Stalls     uint64 `json:"stalls,omitempty"` // closed loop: gave up waiting for its own messages
	Inexact    bool   `json:"inexact,omitempty"`
}

// Faultless says that every message came to everybody, once, in order and unharmed.
func (c Counts) Faultless() bool {
	return c.Lost == 0 && c.Duplicates == 0 && c.Reordered == 0 && c.Damaged == 0 && c.Left == 0
}

// Sample is the state at one second of the run.
type Sample struct {
	At         float64  `json:"at"` // seconds since the start
	Phase      string   `json:"phase"`
	PhaseAt    float64  `json:"phaseAt,omitempty"`  // seconds since the phase began
	PhaseFor   float64  `json:"phaseFor,omitempty"` // seconds that it takes at most; 0: not known
	Connected  int      `json:"connected"`
	Deliveries float64  `json:"deliveriesPerSecond"`
	Notices    float64  `json:"noticesPerSecond"`
	Sent       float64  `json:"sentPerSecond"`
	P50        int64    `json:"p50Micros"`
	P99        int64    `json:"p99Micros"`
	Missing    uint64   `json:"missing"` // overtaken by later messages, not come yet
	Reordered  uint64   `json:"reordered"`
	Processes  []Moment `json:"processes,omitempty"`
}

// Progress says how far the phase is, such as "measuring, 6 of 8 s".
func (s Sample) Progress() string {
	switch {
	case s.PhaseFor >= 1:
		return fmt.Sprintf("%s, %.0f of %.0f s", s.Phase, min(s.PhaseAt, s.PhaseFor), s.PhaseFor)
	case s.PhaseAt >= 1:
		return fmt.Sprintf("%s, %.0f s", s.Phase, s.PhaseAt)
	}
	return s.Phase
}

// Moment is one process at a sample.
type Moment struct {
	PID   int     `json:"pid"`
	Cores float64 `json:"cores"` // processors in use since the sample before
	RSS   int64   `json:"rssBytes"`
}

// Save writes the run to a file.
func (r *Run) Save(path string) error {
	b, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return fmt.Errorf("encode the result: %w", err)
	}
	if err := os.WriteFile(path, append(b, '\n'), 0o644); err != nil {
		return fmt.Errorf("write the result: %w", err)
	}
	return nil
}

// Load reads a run that Save wrote.
func Load(path string) (*Run, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read a result: %w", err)
	}
	var r Run
	if err := json.Unmarshal(b, &r); err != nil {
		return nil, fmt.Errorf("%s is no result of a load run: %w", path, err)
	}
	if r.Version != Version {
		return nil, fmt.Errorf("%s: %w %d, this program reads %d", path, errVersion, r.Version, Version)
	}
	return &r, nil
}

var errVersion = errors.New("a result of format version")

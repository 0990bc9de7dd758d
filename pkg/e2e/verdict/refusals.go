package verdict

import (
	"fmt"
	"sync"
)

// RefusalMessage is what a server logs of each client that it does not recover, with the attributes "reason" and "remote": as a warning at most
// once a second, the others when debugging.
const RefusalMessage = "a client was not recovered and begins a new session"

// Refusals are the reasons of processes not to recover clients, by process and address of the client, as their logs say. The zero value is empty.
type Refusals struct{ list sync.Map }

// Note remembers a reason. It may be called by many goroutines.
func (r *Refusals) Note(process int, client, why string) {
	r.list.Store(fmt.Sprint(process, " ", client), why)
}

// Of is the reason of a process not to recover a client, empty if it gave none.
func (r *Refusals) Of(process int, client string) string {
	why, _ := r.list.Load(fmt.Sprint(process, " ", client))
	text, _ := why.(string)
	return text
}

// Tell fills in why the sessions of a memory were refused, or taken back later.
func (r *Refusals) Tell(m *Memory) {
	for i := range m.Stays {
		s := &m.Stays[i]
		if why := r.Of(s.At, s.Client); s.Recovered {
			s.Ended = why
		} else {
			s.Why = why
		}
	}
}

package redisadapter

import (
	"sync"
)

// serial runs functions one after another, in the order they were pushed, on a goroutine that lives
// while there are any.
type serial struct {
	limit int // how many may wait

	mu      sync.Mutex
	tasks   []func()
	running bool
}

// push queues f; false means that too many wait.
func (s *serial) push(f func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.tasks) >= s.limit {
		return false
	}
	s.tasks = append(s.tasks, f)
	if !s.running {
		s.running = true
		go s.run()
	}
	return true
}

func (s *serial) run() {
	for {
		s.mu.Lock()
		tasks := s.tasks
		s.tasks = nil
		if len(tasks) == 0 {
			s.running = false
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
		for _, f := range tasks {
			f()
		}
	}
}

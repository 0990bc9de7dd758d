package hub

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// An UnpublishedError tells what [Builder.Close] gave up: messages that Redis did not take in time.
type UnpublishedError struct {
	Messages, Bytes int
	Err             error // what Redis said last, or why there was no more time
}

func (e *UnpublishedError) Error() string {
	return fmt.Sprintf("%d messages (%d bytes) for other instances were given up: %v", e.Messages, e.Bytes, e.Err)
}

func (e *UnpublishedError) Unwrap() error { return e.Err }

// Close publishes what is queued, as long as ctx allows, then ends all goroutines and waits for them.
func (h *Hub) Close(ctx context.Context) error {
	err := h.flush(ctx)
	h.start.Do(h.queue.close) // one that never ran must not start any more
	h.cancel()
	ended := make(chan struct{})
	go func() { h.done.Wait(); close(ended) }()
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTimeout) // flush may have used up ctx
	defer cancel()
	select {
	case <-ended:
		return err
	case <-grace.Done():
		return errors.Join(err, fmt.Errorf("close cluster adapter: %w", grace.Err()))
	}
}

// endTimeout bounds the end of the hub's goroutines, each of which has been told to end.
const endTimeout = time.Second

// flush waits until nothing is queued, also while Redis is away: it may come back in time. What grows
// too old meanwhile is dropped as ever.
func (h *Hub) flush(ctx context.Context) error {
	t := time.NewTicker(5 * time.Millisecond)
	defer t.Stop()
	for !h.impossible {
		h.queue.expire()
		sending := h.sending.Load() // what is being sent may come back to the queue
		items, bytes := h.queue.len()
		if items == 0 && !sending && !h.sending.Load() {
			return nil
		}
		select {
		case <-ctx.Done():
			cause := h.Status().LastError
			if cause == nil {
				cause = ctx.Err()
			}
			return &UnpublishedError{items, bytes, cause}
		case <-h.ctx.Done():
			return nil
		case <-t.C:
		}
	}
	return nil
}

// Shed drops the newest of what is queued, see queue.shed.
func (h *Hub) Shed(want int) (bytes, messages int) { return h.queue.shed(want) }

package socketio

import (
	"context"
	"errors"
	"time"
)

// Drain refuses new connections and lets the clients go to other instances: batch after batch, the
// last when the time given by over has passed, all at once if that is 0. Each gets what is queued for
// it; what it sent before it heard is handled. None gets a DISCONNECT, after which clients stay away:
// they see their transport close, and connect again by themselves. Sockets disconnect with the reason
// "server shutting down".
//
// Namespaces and adapters go on working, for those that are still there and for other instances that
// ask for the sessions of those that have gone: [Server.Close] ends them and comes afterwards. Drain
// returns when all have gone, or with an error when ctx ends.
func (s *Server) Drain(ctx context.Context, over time.Duration) error {
	if err := s.eio.Drain(ctx, over); err != nil {
		return errors.Join(errors.New("socketio: not all clients have gone in time"), err)
	}
	return nil
}

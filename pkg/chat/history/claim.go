package history

import (
	"context"
	"time"
)

// A claim that is not followed by an Append or a Settle ends after claimFor: the instance that made it is gone, and the message was perhaps never sent.
const (
	claimFor   = 5 * time.Second
	claimPause = 100 * time.Millisecond
	claimTime  = 500 * time.Millisecond // for one question to Redis
)

// Claimed is what is known of a message that its client may have sent before. The zero value: it is this instance's to send.
type Claimed struct {
	Sent bool // it was, by whichever instance
	ID   ID   // where it is then; zero: nowhere, it was not to be kept
	Wait bool // another instance has claimed it, just now
}

// settled stands in place of the id of what is not kept.
const settled = "-"

// Claim tells whether a message, which is called key, is this instance's to send; then an Append with that key, or Settle, must follow. An error
// means that Redis does not say.
func (s *Redis) Claim(ctx context.Context, key string) (Claimed, error) {
	ctx, cancel := context.WithTimeout(ctx, claimTime)
	defer cancel()
	text, err := claimScript.Run(ctx, s.client, []string{prefix + "once:" + key}, "?"+s.me, claimFor.Milliseconds()).Text()
	switch {
	case err != nil || text == "":
		return Claimed{}, err
	case text == settled:
		return Claimed{Sent: true}, nil
	}
	id, err := ParseID(text)
	return Claimed{Sent: err == nil, ID: id, Wait: err != nil}, nil
}

// Await is Claim, again and again while another instance has it.
func (s *Redis) Await(key string) (Claimed, error) {
	for {
		c, err := s.Claim(s.ctx, key)
		if err != nil || !c.Wait {
			return c, err
		}
		select {
		case <-time.After(claimPause):
		case <-s.ctx.Done():
			return Claimed{}, context.Cause(s.ctx)
		}
	}
}

// Settle tells that a message which was claimed was sent, and is not to be kept.
func (s *Redis) Settle(key string) {
	s.queue.push(&waiting{message: Message{Once: key}, since: time.Now()})
}

package history

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"time"
)

// A claim that is not followed by an Append ends after claimFor: the instance that made it is gone, and the message was perhaps never sent.
const (
	claimFor   = 5 * time.Second
	claimPause = 100 * time.Millisecond
	claimTime  = 500 * time.Millisecond // for one question to Redis
)

// onceKey is the key of Redis under which a client's id for a message is found, for 10 minutes after the message was appended.
func onceKey(id string) string {
	sum := sha256.Sum256([]byte(id))
	return base64.RawURLEncoding.EncodeToString(sum[:18])
}

// Claim tells whether a message, which its client calls id, is this instance's to send. If it was appended before, from wherever, it returns
// where it is. If another instance has claimed it just now, wait tells that it is not known yet. An error means that Redis does not say.
func (s *Redis) Claim(ctx context.Context, id string) (where ID, wait bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, claimTime)
	defer cancel()
	text, err := claimScript.Run(ctx, s.client, []string{prefix + "once:" + onceKey(id)}, "?"+s.me, claimFor.Milliseconds()).Text()
	if err != nil || text == "" {
		return ID{}, false, err
	}
	if where, err := ParseID(text); err == nil {
		return where, false, nil
	}
	return ID{}, true, nil
}

// Await is Claim, again and again while another instance has it.
func (s *Redis) Await(id string) (where ID, err error) {
	for {
		where, wait, err := s.Claim(s.ctx, id)
		if !wait {
			return where, err
		}
		select {
		case <-time.After(claimPause):
		case <-s.ctx.Done():
			return ID{}, context.Cause(s.ctx)
		}
	}
}

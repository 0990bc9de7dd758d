package recovery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/redisadapter/internal/wire"
	"socketio-chat/pkg/socketio"
)

// sessionStore keeps sessions in Redis whose instance has ended in order, in keys that expire:
//
//	<key>-session#/chat#<pid>     a storedSession
//	<key>-session-log#/chat#<id>  what its clients may have missed, one for all of an instance
//	<key>-session-last#/chat      a set of how far each has published that has ended, "<origin> <number> <when, Unix ms>"
type sessionStore struct {
	redis    redis.UniversalClient
	key, nsp string
	reading  chan struct{} // has an element while a log is read: those that want the same one wait for it, as long as they may

	mu    sync.Mutex // of the log that was read last
	id    string
	log   *socketio.StoredLog
	timer *time.Timer
}

func newSessionStore(redis redis.UniversalClient, key, nsp string) *sessionStore {
	return &sessionStore{redis: redis, key: key, nsp: nsp, reading: make(chan struct{}, 1)}
}

// storedSession is the value of a session's key.
type storedSession struct {
	Log     string          `json:"log"`
	Session json.RawMessage `json:"session"`
}

func (s *sessionStore) sessionKey(pid socket.PrivateSessionId) string {
	return s.key + "-session#" + s.nsp + "#" + string(pid)
}

func (s *sessionStore) logKey(id string) string { return s.key + "-session-log#" + s.nsp + "#" + id }

// storeBatch is how many sessions go into one pipeline.
const storeBatch = 256

// put stores sessions and their log, which gets the name id.
func (s *sessionStore) put(ctx context.Context, id string, d *socketio.SessionDump) error {
	b, err := wire.EncodeJSON(d.Log)
	if err != nil {
		return fmt.Errorf("describe what clients may have missed: %w", err)
	}
	// The log comes first: it must be there for all that find a session.
	if err := s.redis.Set(ctx, s.logKey(id), b, d.TTL).Err(); err != nil {
		return fmt.Errorf("store what clients may have missed: %w", err)
	}
	for list := d.Sessions; len(list) > 0; {
		n := min(len(list), storeBatch)
		_, err := s.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
			for _, one := range list[:n] {
				b, err := wire.EncodeJSON(storedSession{id, one.Session})
				if err != nil {
					return err
				}
				p.Set(ctx, s.sessionKey(one.Pid), b, d.TTL)
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("store sessions: %w", err)
		}
		list = list[n:]
	}
	return nil
}

func (s *sessionStore) lastKey() string { return s.key + "-session-last#" + s.nsp }

// leave stores how far an instance has published, for instances that begin to listen later, and removes what is older than that is asked for.
func (s *sessionStore) leave(ctx context.Context, origin string, published uint64, within time.Duration) error {
	earlier, err := s.last(ctx)
	if err == nil {
		_, err = s.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
			now := time.Now()
			for _, l := range earlier {
				if now.Sub(l.at) > within+clockSkew {
					p.SRem(ctx, s.lastKey(), l.text())
				}
			}
			p.SAdd(ctx, s.lastKey(), lastWord{origin, published, now}.text())
			p.Expire(ctx, s.lastKey(), within)
			return nil
		})
	}
	if err != nil {
		return fmt.Errorf("store how far this instance has published: %w", err)
	}
	return nil
}

// lastWord is how far an instance had published when it ended.
type lastWord struct {
	origin    string
	published uint64
	at        time.Time
}

func (l lastWord) text() string {
	return fmt.Sprintf("%s %d %d", l.origin, l.published, l.at.UnixMilli())
}

// last tells of the instances that have ended in order since a while.
func (s *sessionStore) last(ctx context.Context) (ended []lastWord, err error) {
	list, err := s.redis.SMembers(ctx, s.lastKey()).Result()
	if err != nil {
		return nil, err
	}
	for _, text := range list {
		var l lastWord
		var at int64
		if n, _ := fmt.Sscanf(text, "%s %d %d", &l.origin, &l.published, &at); n == 3 {
			l.at = time.UnixMilli(at)
			ended = append(ended, l)
		}
	}
	return ended, nil
}

// discard removes sessions.
func (s *sessionStore) discard(ctx context.Context, pids []socket.PrivateSessionId) error {
	_, err := s.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, pid := range pids {
			p.Del(ctx, s.sessionKey(pid))
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("discard stored sessions: %w", err)
	}
	return nil
}

// read returns a session with its log. The instance that takes it removes it, and has it if no other did.
func (s *sessionStore) read(ctx context.Context, pid socket.PrivateSessionId) (json.RawMessage, *socketio.StoredLog, socketio.Refusal) {
	b, err := s.redis.Get(ctx, s.sessionKey(pid)).Bytes()
	switch {
	case errors.Is(err, redis.Nil), redis.HasErrorPrefix(err, "WRONGTYPE"): // somebody else's key
		return nil, nil, socketio.RefusedUnknown
	case err != nil:
		return nil, nil, socketio.RefusedTimeout
	}
	var stored storedSession
	if json.Unmarshal(b, &stored) != nil {
		return nil, nil, socketio.RefusedCut
	}
	log, err := s.readLog(ctx, stored.Log)
	switch {
	case errors.Is(err, redis.Nil), redis.HasErrorPrefix(err, "WRONGTYPE"):
		return nil, nil, socketio.RefusedExpired
	case err != nil:
		return nil, nil, socketio.RefusedTimeout
	}
	return stored.Session, log, socketio.NotRefused
}

// remove removes a session that was read. It reports false if somebody else did.
func (s *sessionStore) remove(ctx context.Context, pid socket.PrivateSessionId) bool {
	for tried := false; ; tried = true {
		n, err := s.redis.Del(ctx, s.sessionKey(pid)).Result()
		switch {
		case err == nil:
			return n > 0 || tried // an attempt without an answer may have been ours
		case ctx.Err() != nil:
			return true // it expires
		}
	}
}

// logFor is how long a log that was read is kept: many clients come at once.
const logFor = 10 * time.Second

// readLog reads a log, unless it is the one that was read last.
func (s *sessionStore) readLog(ctx context.Context, id string) (*socketio.StoredLog, error) {
	select {
	case s.reading <- struct{}{}:
		defer func() { <-s.reading }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if log := s.lastLog(id); log != nil {
		return log, nil
	}
	b, err := s.redis.Get(ctx, s.logKey(id)).Bytes()
	if err != nil {
		return nil, err
	}
	log := &socketio.StoredLog{}
	if err := json.Unmarshal(b, log); err != nil {
		return nil, err
	}
	s.keepLog(id, log)
	return log, nil
}

// lastLog returns the log that was read last, if it is this one.
func (s *sessionStore) lastLog(id string) *socketio.StoredLog {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.id != id {
		return nil
	}
	return s.log
}

// keepLog keeps a log for those that come next.
func (s *sessionStore) keepLog(id string, log *socketio.StoredLog) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.id, s.log = id, log
	if s.timer != nil {
		s.timer.Stop()
	}
	s.timer = time.AfterFunc(logFor, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.id == id {
			s.id, s.log = "", nil
		}
	})
}

package hub

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"

	"socketio-chat/pkg/redisadapter/internal/streams"
)

// lookAt asks pipe about a stream; told makes sense of the answer once it is there. What was read last is taken to be there.
func lookAt(ctx context.Context, pipe redis.Cmdable, key string) (told func() (streams.Info, error)) {
	x := pipe.XInfoStream(ctx, key)
	return func() (streams.Info, error) {
		info, err := infoOf(x, key)
		info.Holds = info.Exists
		return info, err
	}
}

// lookFor is lookAt, and asks whether the stream has an entry.
func lookFor(ctx context.Context, pipe redis.Cmdable, key string, id streams.ID) (told func() (streams.Info, error)) {
	stream := lookAt(ctx, pipe, key)
	entry := pipe.XRangeN(ctx, key, id.String(), id.String(), 1)
	return func() (streams.Info, error) {
		info, err := stream()
		if err == nil && info.Exists {
			var list []redis.XMessage
			if list, err = entry.Result(); err != nil {
				err = fmt.Errorf("XRANGE %s: %w", key, err)
			}
			info.Holds = len(list) > 0
		}
		return info, err
	}
}

// infoOf makes sense of XINFO's answer; no stream is an answer, too.
func infoOf(cmd *redis.XInfoStreamCmd, key string) (info streams.Info, err error) {
	x, err := cmd.Result()
	switch {
	case err != nil && err.Error() == "ERR no such key":
		return info, nil
	case err != nil:
		return info, fmt.Errorf("XINFO STREAM %s: %w", key, err)
	}
	info = streams.Info{Exists: true, Length: x.Length, Added: x.EntriesAdded}
	if info.Last, err = streams.ParseID(x.LastGeneratedID); err != nil {
		return info, err
	}
	for text, id := range map[string]*streams.ID{x.FirstEntry.ID: &info.First, x.LastEntry.ID: &info.Newest} {
		if text == "" {
			continue
		}
		if *id, err = streams.ParseID(text); err != nil {
			return info, err
		}
	}
	if info.Added < info.Length || x.MaxDeletedEntryID != "0-0" { // deleted from the middle: the count says nothing
		info.Added = -1
	}
	return info, nil
}
